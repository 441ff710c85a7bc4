import Foundation
import Model

/// A message in `<queue>.dead`, with what its headers tell of its end. Another program's may lack any of it.
public struct DeadMessage: Sendable, Equatable {
    /// The queue it died in, without `.dead`.
    public let queue: String
    /// As it was published.
    public let body: [UInt8]
    /// All of its headers, by name.
    public let headers: [String: String]
    /// The image, where the body names one.
    public let imageID: ImageID?
    /// The job; nil for a trigger and for what is no job.
    public let jobID: UUID?
    /// What a broker that moved it by itself wrote (`x-death`).
    private let brokerDeath: JSON?

    /// Reads what lies in `<queue>.dead`.
    public init(queue: String, body: [UInt8], headers: [String: String]) {
        self.queue = queue
        self.body = body
        self.headers = headers
        let job = try? Job(body: body, queue: queue, service: "")
        imageID = job?.imageID
        jobID = PostProcessing.allCases.contains { $0.queue == queue } ? nil : job?.jobID
        brokerDeath = headers["x-death"].flatMap { try? JSON(parsing: $0) }?.arrayValue?.first
    }

    /// `bad_message`, `unknown_image`, `crashed_worker`, `refused`, a `FailureKind`, or what a broker says; `unknown` where
    /// nobody says why.
    public var reason: String { headers[FarmHeader.reason] ?? brokerDeath?["reason"]?.stringValue ?? "unknown" }

    /// One line for people; anything may stand in it.
    public var message: String { headers[FarmHeader.message] ?? "" }

    /// How often it was tried.
    public var tries: Int? { headers[FarmHeader.tries].flatMap { Int($0) } }

    /// Who buried it.
    public var workerID: String? { headers[FarmHeader.worker] }

    /// When the first try failed.
    public var firstFailure: Date? { headers[FarmHeader.firstFailure].flatMap(Timestamp.date) }

    /// When it died.
    public var deadSince: Date? {
        headers[FarmHeader.deadSince].flatMap(Timestamp.date)
            ?? brokerDeath?["time"]?.integerValue.map { Date(timeIntervalSince1970: Double($0)) }
    }

    /// The id that a job that was requeued had at first.
    public var firstJobID: UUID? { headers[FarmHeader.firstJob].flatMap(UUID.init(uuidString:)) ?? jobID }

    /// How it died before, oldest first.
    public var history: [JSON] {
        headers[FarmHeader.history].flatMap { try? JSON(parsing: $0) }?.arrayValue ?? []
    }
}

extension DeadMessage {
    /// Deaths that a job takes along; beyond, the oldest are forgotten.
    private static let historyLimit = 10
    /// Characters of a death's message that it takes along.
    private static let messageLimit = 300

    /// The message that goes back to the queue: a job under a new id, which is the same however often this letter is
    /// requeued, so that it is done once. Tries begin anew; how it died is kept.
    ///
    /// The new id is made of the first one and of that it died under. The time of its death is none of it: a job may have
    /// two letters of one death, for it is buried again where it comes again.
    ///
    /// A trigger, and what is no job, goes back as it came.
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
