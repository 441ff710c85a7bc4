import Foundation
import Model

/// What happens to work. Each event is told once, by the part it happens to, for a whole group at a time. Heartbeats,
/// log lines and metrics are made of events.
public enum Event: Sendable {
    /// A role began to consume its queue.
    case began(prefetch: Int)
    /// This many deliveries may be unsettled from now on.
    case prefetchChanged(Int)
    /// Deliveries were taken.
    case taken(Int)
    /// Jobs were admitted. The values are the times of submission that messages give: ISO 8601.
    case admitted(submittedAt: [String])
    /// A request to a service ended.
    case called(ServiceCall)
    /// A call that failed is being tried again.
    case retried(FailureKind)
    /// Fetching a picture by its URL ended.
    case pictureFetched(succeeded: Bool, seconds: Double)
    /// Posting a webhook ended: `success`, the class of another status such as `5xx`, `failed` or `refused`.
    case webhookPosted(outcome: String, seconds: Double)
    /// The rows of this many jobs or images were written in one group.
    case committed(Int, seconds: Double)
    /// The store failed at what it was asked to do.
    case storeFailed(PortFault.Kind)
    /// Rows with status `error` were written: how many of each kind.
    case failuresStored([String: Int])
    /// Messages are known to be safe: how many in each queue. The seconds are those of the whole batch.
    case published([String: Int], seconds: Double)
    /// Deliveries were settled.
    case settled(Settled)
    /// A service's circuit breaker changed its state.
    case breakerChanged(BreakerChange)
    /// What operators have set for the service or role has changed, or was read for the first time.
    case controlChanged(ServiceControl)
    /// This many calls of the service may be in flight from now on.
    case concurrencyChanged(Int)
    /// The rate limit kept the stage from taking jobs for this long.
    case waitedForRate(seconds: Double)
    /// A probe or a call showed whether the service answers.
    case probed(isUp: Bool)
    /// A connection to the broker was lost. It is being opened again.
    case connectionLost(connection: String, PortFault)
    /// A lost connection to the broker was opened again, perhaps to another host.
    case reconnected(connection: String, place: String)
    /// Boxes were fused: what happened to the predictions of each detector.
    case merged([PredictionCount])
    /// Consensus was written. The lags are the seconds since the newest answer that it is based on.
    case agreed(lags: [Double])
}

/// One request to a service, and its outcome.
public struct ServiceCall: Sendable, Equatable {
    /// `success`, or the kind of failure.
    public var outcome: String
    /// The time from the request to the end of the answer.
    public var seconds: Double
    /// The size of the answer. nil if there was none.
    public var bytes: Int?
    /// The processing time that the answer reports, in seconds.
    public var reported: Double?
    /// The status of the answer. nil if there was none.
    public var status: Int?

    package init(
        outcome: String, seconds: Double, bytes: Int? = nil, reported: Double? = nil, status: Int? = nil
    ) {
        self.status = status
        self.outcome = outcome
        self.seconds = seconds
        self.bytes = bytes
        self.reported = reported
    }
}

/// A group of deliveries that were settled in the same way, and how.
public struct Settled: Sendable {
    /// The ways in which a delivery can be settled.
    public enum Fate: Sendable {
        /// Done now.
        case success
        /// Done before, by another delivery of the same job, or of the same image in one group.
        case duplicate
        /// Failed for good.
        case dead(DeadLetter)
        /// Given back, so that it is available again.
        case givenBack
    }

    /// How they were settled.
    public var fate: Fate
    /// How many deliveries there were.
    public var count: Int
    /// When they were settled.
    public var date: Date
    /// The seconds from taking to settling, for each delivery that was worked on.
    public var durations: [Double]
    /// The image of a dead delivery, if it is known.
    public var imageID: ImageID?
    /// The job of a dead delivery, if it is known.
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
    /// No call passes.
    case open
    /// A few calls pass, as a trial.
    case halfOpen = "half_open"
}

/// A circuit breaker's new state.
public struct BreakerChange: Sendable, Equatable {
    /// The new state.
    public var state: BreakerState
    /// The service and its place: `blip at k2:7777`.
    public var service: String
    /// Why it is open: `is down: connection refused`.
    public var cause: String?
    /// Whether it was half-open before, so that the service is still down.
    public var isReopened: Bool

    package init(_ state: BreakerState, of service: String, cause: String? = nil, isReopened: Bool = false) {
        self.state = state
        self.service = service
        self.cause = cause
        self.isReopened = isReopened
    }
}

/// How many of a detector's predictions ended in the same way.
public struct PredictionCount: Sendable, Equatable {
    /// The ways in which a prediction can end.
    public enum Fate: Sendable, Equatable {
        /// It is in a box that several detectors saw.
        case fused
        /// It is in a box that only its detector saw.
        case lone
        /// It is well-formed, but in no box.
        case dropped
        /// It does not count, for this reason (spec section 6).
        case invalid(reason: String)
    }

    /// The detector.
    public var service: String
    /// What happened to them.
    public var fate: Fate
    /// How many there were.
    public var count: Int

    package init(service: String, fate: Fate, count: Int) {
        self.service = service
        self.fate = fate
        self.count = count
    }
}
