import Foundation
import Model

/// What happens to work, told once, by whom it happens to, a group at a time. Heartbeats, log lines and metrics are made of it.
public enum Event: Sendable {
    /// A role begins to take from its queue.
    case began(prefetch: Int)
    /// Deliveries were taken.
    case taken(Int)
    /// Jobs were admitted. When those that say so were submitted, as their messages have it: ISO 8601.
    case admitted(submittedAt: [String])
    /// A service was asked once.
    case called(ServiceCall)
    /// A call that failed is tried again.
    case retried(FailureKind)
    /// A picture was fetched by its URL, or not.
    case pictureFetched(succeeded: Bool, seconds: Double)
    /// The rows of so many jobs or images were written in one group.
    case committed(Int, seconds: Double)
    /// The store did not do what it was asked for.
    case storeFailed(PortFault.Kind)
    /// Rows with status `error` were written: how many, by kind.
    case failuresStored([String: Int])
    /// Messages are known to be safe: how many, by queue. The seconds are of the whole batch.
    case published([String: Int], seconds: Double)
    /// What became of deliveries.
    case settled(Settled)
    /// A service's circuit breaker has another state.
    case breakerChanged(BreakerChange)
    /// A probe, or a call, has shown whether the service answers.
    case probed(isUp: Bool)
    /// A connection to the broker was lost; it is being opened again.
    case connectionLost(connection: String, PortFault)
    /// A connection to the broker that was lost is there again, perhaps to another host.
    case reconnected(connection: String, place: String)
    /// Boxes were fused: what became of detectors' predictions.
    case merged([PredictionCount])
    /// A consensus was written: seconds since the newest answer that it rests on.
    case agreed(lags: [Double])
}

/// One request to a service, and what came of it.
public struct ServiceCall: Sendable, Equatable {
    /// `success`, or the kind of the failure.
    public var outcome: String
    /// From the request to the end of the answer.
    public var seconds: Double
    /// Of the answer; nil where there was none.
    public var bytes: Int?
    /// What the answer says it took, in seconds.
    public var reported: Double?

    package init(outcome: String, seconds: Double, bytes: Int? = nil, reported: Double? = nil) {
        self.outcome = outcome
        self.seconds = seconds
        self.bytes = bytes
        self.reported = reported
    }
}

/// A group of deliveries that were settled in the same way.
public struct Settled: Sendable {
    /// How.
    public enum Fate: Sendable {
        /// Done by this one.
        case success
        /// Done before: another delivery of the same job, or of the same image in one group.
        case duplicate
        /// Failed for good.
        case dead(DeadLetter)
        /// Available again.
        case givenBack
    }

    /// How they were settled.
    public var fate: Fate
    /// How many.
    public var count: Int
    /// When.
    public var date: Date
    /// From taken to settled, in seconds; one for each delivery that was worked on.
    public var durations: [Double]
    /// The image of a dead one, if it is known.
    public var imageID: ImageID?
    /// The job of a dead one, if it is known.
    public var jobID: UUID?

    package init(
        _ fate: Fate, count: Int, date: Date, durations: [Double] = [], imageID: ImageID? = nil, jobID: UUID? = nil
    ) {
        self.fate = fate
        self.count = count
        self.date = date
        self.durations = durations
        self.imageID = imageID
        self.jobID = jobID
    }
}

/// The states of a circuit breaker (M. Nygard, "Release It!").
public enum BreakerState: String, Sendable, CaseIterable {
    /// All calls pass.
    case closed
    /// None does.
    case open
    /// A few do, to see.
    case halfOpen = "half_open"
}

/// A circuit breaker's new state.
public struct BreakerChange: Sendable, Equatable {
    /// What it is now.
    public var state: BreakerState
    /// The service with its place: `blip at k2:7777`.
    public var service: String
    /// Why it is open: `is down: connection refused`.
    public var cause: String?
    /// It was half-open: the service is still down.
    public var isReopened: Bool

    package init(_ state: BreakerState, of service: String, cause: String? = nil, isReopened: Bool = false) {
        self.state = state
        self.service = service
        self.cause = cause
        self.isReopened = isReopened
    }
}

/// What became of some of a detector's predictions.
public struct PredictionCount: Sendable, Equatable {
    /// Its kinds.
    public enum Fate: Sendable, Equatable {
        /// In a box that several detectors saw.
        case fused
        /// In a box that only its detector saw.
        case lone
        /// Well-formed, but not in any box.
        case dropped
        /// Does not count: why (spec section 6).
        case invalid(reason: String)
    }

    /// The detector.
    public var service: String
    /// What became of them.
    public var fate: Fate
    /// How many.
    public var count: Int

    package init(service: String, fate: Fate, count: Int) {
        self.service = service
        self.fate = fate
        self.count = count
    }
}
