import Foundation

/// Why a job failed: the `kind` that an error row names (spec section 5).
public enum FailureKind: String, Sendable, CaseIterable {
    case timeout
    case connection
    case http
    case notJSON = "not_json"
    case serviceError = "service_error"
    case badAnswer = "bad_answer"
    case tooLarge = "too_large"
    /// The picture itself is at fault: missing, unreadable, or not fetched.
    case image
    /// The store refuses this particular answer (spec section 4).
    case refused
    /// The job kills the processes that begin it (spec section 3).
    case crashedWorker = "crashed_worker"

    /// Whether the service answered and the answer is of no use.
    public var isOfService: Bool { [.serviceError, .badAnswer, .http].contains(self) }
}

/// A call that failed for good.
public struct AnalysisFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure.
    public var kind: FailureKind
    /// One line for people, with host and cause; never a secret.
    public var message: String
    /// The HTTP status of the last answer, if there was one.
    public var httpStatus: Int?
    /// How often the service was asked; 0 if it never was.
    public var tries: Int
    /// When the first try failed.
    public var firstFailure: Date
    /// How many seconds the call took, including all tries and waits.
    public var seconds: Double

    package init(
        kind: FailureKind, message: String, httpStatus: Int? = nil, tries: Int, firstFailure: Date, seconds: Double = 0
    ) {
        self.kind = kind
        self.message = message
        self.httpStatus = httpStatus
        self.tries = tries
        self.firstFailure = firstFailure
        self.seconds = seconds
    }

    /// One line for people.
    public var description: String { "\(kind.rawValue): \(message)" }

    /// `{"error": {"kind", "message", "http_status", "tries"}}`.
    public var json: JSON {
        .object([
            "error": .object([
                "kind": .string(kind.rawValue), "message": .string(message),
                "http_status": httpStatus.map { .int(Int64($0)) } ?? .null, "tries": .int(Int64(tries)),
            ])
        ])
    }
}
