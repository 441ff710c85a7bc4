import Foundation
import Model

/// The headers that farm puts on messages (spec section 3).
package enum FarmHeader {
    package static let reason = "x-farm-reason"
    package static let message = "x-farm-message"
    package static let tries = "x-farm-tries"
    package static let worker = "x-farm-worker"
    package static let firstFailure = "x-farm-first-failure"
    package static let queue = "x-farm-queue"
    package static let deadSince = "x-farm-dead-since"
    /// The job's first id, of a job that was requeued.
    package static let firstJob = "x-farm-first-job"
    /// How a job that was requeued died before: a JSON array.
    package static let history = "x-farm-history"

    /// On a copy that took the place of a message which a consumer had: what it would be told by the broker otherwise.
    package static let redelivered = "x-farm-redelivered"
    package static let yes = "yes"
    /// How often a quorum queue has had a message back.
    package static let returns = "x-delivery-count"

    package static let prefix = "x-farm-"

    /// What tells of one death: it goes when the job is requeued.
    static let ofDeath: Set<String> = [reason, message, tries, worker, firstFailure, queue, deadSince]
    /// What a broker wrote when it moved a message by itself; it reads them again, so they must not be given back as text.
    static let ofBroker: Set<String> = [
        "x-death", returns, "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason",
        "x-last-death-exchange", "x-last-death-queue", "x-last-death-reason",
    ]
    /// Where else a broker delivers a message to (sender-selected distribution): a copy goes to its own queue only, and as text
    /// they are refused.
    package static let ofRouting: Set<String> = ["CC", "BCC"]
}

extension DeadLetter {
    /// Longest message, in characters, that goes into a header.
    private static let messageLimit = 1000

    /// What a dead letter carries: spec section 3, and with it the message and the time it died.
    package func headers(from queue: String, deadSince: Date) -> [String: String] {
        [
            FarmHeader.reason: reason, FarmHeader.message: String(message.prefix(DeadLetter.messageLimit)),
            FarmHeader.tries: String(tries), FarmHeader.worker: workerID,
            FarmHeader.firstFailure: Timestamp.iso8601(firstFailure), FarmHeader.queue: queue,
            FarmHeader.deadSince: Timestamp.iso8601(deadSince),
        ]
    }
}
