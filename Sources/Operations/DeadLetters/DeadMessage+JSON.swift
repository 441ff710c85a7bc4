import Model
import Pipeline

extension DeadMessage {
    /// The members that the contract names (spec section 1).
    package func members(service: String) -> [JSON.Member] {
        [
            JSON.Member("queue", .string(queue)), JSON.Member("service", .string(service)),
            JSON.Member("image_id", imageID.map { .int(Int64($0)) } ?? .null),
            JSON.Member("job_id", .optional(jobID?.text)), JSON.Member("reason", .string(reason)),
            JSON.Member("message", .string(message)), JSON.Member("tries", tries.map { .int(Int64($0)) } ?? .null),
            JSON.Member("worker_id", .optional(workerID)),
            JSON.Member("first_failure", .optional(firstFailure.map(Timestamp.iso8601))),
            JSON.Member("dead_since", .optional(deadSince.map(Timestamp.iso8601))),
        ]
    }

    /// The members, and everything else that is in the letter.
    package func wholeMembers(service: String) -> [JSON.Member] {
        let headers = headers.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        return members(service: service) + [
            JSON.Member("first_job_id", .optional(firstJobID?.text)), JSON.Member("history", .array(history)),
            JSON.Member("headers", .object(headers)), JSON.Member("body", .string(body.text)),
        ]
    }
}

extension [UInt8] {
    /// The bytes as text. Bytes that are not UTF-8 become `\xff`.
    fileprivate var text: String { String(validating: self, as: UTF8.self) ?? printable }
}
