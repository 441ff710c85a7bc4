import Foundation
import Model

/// A message in `<queue>.dead`, with what its headers say about its death. Another program's message may lack any of
/// that.
public struct DeadMessage: Sendable, Equatable {
    /// The queue it died in, without `.dead`.
    public let queue: String
    /// The body as it was published.
    public let body: [UInt8]
    /// All of its headers, by name.
    public let headers: [String: String]
    /// The image, if the body names one.
    public let imageID: ImageID?
    /// The job. nil for a trigger, for a callback, and for a message that is no job.
    public let jobID: UUID?
    /// The header `x-death`, from a broker that moved the message by itself.
    private let brokerDeath: JSON?

    /// Reads a message of `<queue>.dead`.
    public init(queue: String, body: [UInt8], headers: [String: String]) {
        self.queue = queue
        self.body = body
        self.headers = headers
        let job = try? Job(body: body, queue: queue, service: "")
        imageID = job?.imageID
        let isOfJobs = queue != Callback.queue && !PostProcessing.allCases.contains { $0.queue == queue }
        jobID = isOfJobs ? job?.jobID : nil
        brokerDeath = headers["x-death"].flatMap { try? JSON(parsing: $0) }?.arrayValue?.first
    }

    /// `bad_message`, `unknown_image`, `crashed_worker`, `refused`, a `FailureKind`, or a broker's reason. `unknown` if
    /// no reason is given.
    public var reason: String { headers[FarmHeader.reason] ?? brokerDeath?["reason"]?.stringValue ?? "unknown" }

    /// One line for people. It may contain any text.
    public var message: String { headers[FarmHeader.message] ?? "" }

    /// How often it was tried.
    public var tries: Int? { headers[FarmHeader.tries].flatMap { Int($0) } }

    /// The worker that buried it.
    public var workerID: String? { headers[FarmHeader.worker] }

    /// When the first try failed.
    public var firstFailure: Date? { headers[FarmHeader.firstFailure].flatMap(Timestamp.date) }

    /// When it died.
    public var deadSince: Date? {
        headers[FarmHeader.deadSince].flatMap(Timestamp.date)
            ?? brokerDeath?["time"]?.integerValue.map { Date(timeIntervalSince1970: Double($0)) }
    }

    /// The id that a requeued job had at first.
    public var firstJobID: UUID? { headers[FarmHeader.firstJob].flatMap(UUID.init(uuidString:)) ?? jobID }

    /// The earlier deaths, oldest first.
    public var history: [JSON] {
        headers[FarmHeader.history].flatMap { try? JSON(parsing: $0) }?.arrayValue ?? []
    }
}

extension DeadMessage {
    /// How many deaths a job remembers. If there are more, the oldest are forgotten.
    private static let historyLimit = 10
    /// How many characters of each death's message a job remembers.
    private static let messageLimit = 300

    /// The message that goes back to the queue. A job gets a new id. The id is the same each time this letter is
    /// requeued, so that the job is done once. Its tries begin anew, and it remembers how it died.
    ///
    /// The new id is made from the first id and the id under which the job died. The time of death is left out: a job
    /// that is delivered again is buried again, so one death may have two letters.
    ///
    /// A trigger, a callback, and a message that is no job, go back as they came.
    public func requeued(at now: Date) -> Message {
        let left = FarmHeader.ofDeath.union(FarmHeader.ofBroker).union(FarmHeader.ofRouting)
        var headers = headers.filter { !left.contains($0.key) }
        headers[FarmHeader.history] =
            JSON.array((history + [death(requeuedAt: now)]).suffix(DeadMessage.historyLimit)).text
        guard let jobID, let first = firstJobID else { return Message(queue: queue, body: body, headers: headers) }
        headers[FarmHeader.firstJob] = first.text
        let job = UUID(namespace: first, name: jobID.text.utf8)
        return Message(queue: queue, body: Job.body(body, renamed: job), headers: headers)
    }

    private func death(requeuedAt now: Date) -> JSON {
        .object([
            "job_id": .optional(jobID?.text), "reason": .string(reason),
            "message": .string(String(message.prefix(DeadMessage.messageLimit))),
            "tries": tries.map { .int(Int64($0)) } ?? .null, "worker_id": .optional(workerID),
            "first_failure": .optional(firstFailure.map(Timestamp.iso8601)),
            "dead_since": .optional(deadSince.map(Timestamp.iso8601)),
            "requeued": .string(Timestamp.iso8601(now)),
        ])
    }
}
