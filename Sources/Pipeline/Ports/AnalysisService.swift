import Foundation
import Model
import Pictures

/// What a service is asked about.
public enum AnalysisSubject: Sendable, Equatable {
    /// The service fetches it: `GET …?url=`.
    case url(String)
    /// A file of this box: `POST`, field `file`.
    case file(path: String)
    /// A crop in memory: `POST`, field `file`.
    case picture(jpeg: [UInt8], filename: String)
}

/// A sound answer with status `success`.
public struct Answer: Sendable, Equatable {
    /// As it was received: JSON, UTF-8.
    public var body: [UInt8]
    /// The answer's `metadata.processing_time`, else the seconds that the call took.
    public var processingTime: Double

    /// The answer's `metadata.processing_time`, in seconds, if it has one.
    public var reported: Double?

    package init(body: [UInt8], processingTime: Double, reported: Double? = nil) {
        self.body = body
        self.processingTime = processingTime
        self.reported = reported
    }

    /// As JSON, read anew at each call: most answers are only stored.
    public var json: JSON { (try? JSON(parsing: body)) ?? .null }
}

/// What became of one job's call, all its tries included.
public enum AnalysisOutcome: Sendable, Equatable {
    case answered(Answer)
    /// For good: no further try would help, or none is left.
    case failed(AnalysisFailure)
    /// The service is down, or its circuit breaker is open: the job goes back, nothing was counted.
    case unavailable(String)
    /// It failed, and nobody knows yet whether the job is at fault or the service: it goes to the end of its queue. What it
    /// will be if others show that the service works.
    case undecided(AnalysisFailure)
}

/// One ML service over HTTP, with its tries, its limit of calls in flight and its circuit breaker.
public protocol AnalysisService: Sendable {
    var name: String { get }

    /// Whether any number of jobs passes now; if not, `permits` waits.
    var takesFreely: Bool { get }

    /// Waits until the circuit breaker lets jobs pass and says how many may be taken now: 1 while it is half-open.
    /// - Throws: `CancellationError`.
    func permits() async throws -> Int

    /// Whether jobs pass at this moment; nil if they do, else why not.
    func outage() async -> String?

    /// Calls the service until it answers, fails for good or turns out to be down.
    /// - Parameters:
    ///   - key: the job's id, by which tries of a job that hangs are counted across give-backs.
    ///   - heldSince: since when the job is held, where something came before the call.
    func analyze(_ subject: AnalysisSubject, key: UUID, heldSince: Date?) async -> AnalysisOutcome
}

extension AnalysisService {
    /// Calls the service for a job that was taken just now.
    public func analyze(_ subject: AnalysisSubject, key: UUID) async -> AnalysisOutcome {
        await analyze(subject, key: key, heldSince: nil)
    }
}

/// Fetches pictures that only a URL leads to.
public protocol PictureFetcher: Sendable {
    /// The bytes behind an http or https URL, at most 64 MiB.
    func fetch(_ url: String) async throws(PictureFault) -> [UInt8]

    /// Who has the picture, as `PictureAbsence.source` names it: `http://nas:8080`.
    func source(of url: String) -> String

    /// Whether a source answers at all.
    func answers(_ source: String) async -> Bool
}
