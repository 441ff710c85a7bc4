import Foundation
import Model
import Pictures

/// What a service is asked about.
public enum AnalysisSubject: Sendable, Equatable {
    /// The service fetches the picture itself: `GET …?url=`.
    case url(String)
    /// A file of this machine: `POST`, field `file`.
    case file(path: String)
    /// A crop in memory: `POST`, field `file`.
    case picture(jpeg: [UInt8], filename: String)
}

/// A well-formed answer with status `success`.
public struct Answer: Sendable, Equatable {
    /// The answer as it was received: JSON, UTF-8.
    public var body: [UInt8]
    /// The answer's `metadata.processing_time`. If it has none, the seconds that the call took.
    public var processingTime: Double

    /// The answer's `metadata.processing_time`, in seconds, if it has one.
    public var reported: Double?

    package init(body: [UInt8], processingTime: Double, reported: Double? = nil) {
        self.body = body
        self.processingTime = processingTime
        self.reported = reported
    }

    /// The answer as JSON. It is parsed anew at each call, since most answers are only stored.
    public var json: JSON { (try? JSON(parsing: body)) ?? .null }
}

/// The outcome of one job's call, after all its tries.
public enum AnalysisOutcome: Sendable, Equatable {
    case answered(Answer)
    /// It failed for good: another try would not help, or none is left.
    case failed(AnalysisFailure)
    /// The service is down, or its circuit breaker is open. The job goes back, and nothing is counted.
    case unavailable(String)
    /// It failed, and nobody knows yet whether the job or the service is at fault, so the job goes to the end of its
    /// queue. The value is the failure that it will be if other jobs show that the service works.
    case undecided(AnalysisFailure)
}

/// One ML service over HTTP, with its retries, its limit of calls in flight and its circuit breaker.
public protocol AnalysisService: Sendable {
    var name: String { get }

    /// Whether any number of jobs may pass now. If not, `permits` waits.
    var takesFreely: Bool { get }

    /// Waits until the circuit breaker lets jobs pass, and returns how many may be taken now: 1 while it is half-open.
    /// - Throws: `CancellationError`.
    func permits() async throws -> Int

    /// Why no job passes at this moment. nil if jobs pass.
    func outage() async -> String?

    /// Calls the service until it answers, fails for good or turns out to be down.
    /// - Parameters:
    ///   - key: the id of the job. If it hangs, its tries are counted under this id, even after it was given back.
    ///   - heldSince: when the job was taken, if other work came before the call.
    func analyze(_ subject: AnalysisSubject, key: UUID, heldSince: Date?) async -> AnalysisOutcome
}

extension AnalysisService {
    /// Calls the service for a job that was taken just now.
    public func analyze(_ subject: AnalysisSubject, key: UUID) async -> AnalysisOutcome {
        await analyze(subject, key: key, heldSince: nil)
    }
}

/// Fetches pictures that have only a URL.
public protocol PictureFetcher: Sendable {
    /// The bytes at an http or https URL, at most 64 MiB.
    func fetch(_ url: String) async throws(PictureFault) -> [UInt8]

    /// The source of the picture, as `PictureAbsence.source` names it: `http://nas:8080`.
    func source(of url: String) -> String

    /// Whether a source answers at all.
    func answers(_ source: String) async -> Bool
}
