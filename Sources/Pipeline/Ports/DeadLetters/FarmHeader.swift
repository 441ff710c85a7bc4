import Foundation
import Model

/// The headers that farm puts on messages (spec section 3).
package enum FarmHeader {
    /// The services and roles whose news a trigger brings besides that of the service it names, separated by commas.
    package static let sources = "x-farm-sources"
    package static let reason = "x-farm-reason"
    package static let message = "x-farm-message"
    package static let tries = "x-farm-tries"
    package static let worker = "x-farm-worker"
    package static let firstFailure = "x-farm-first-failure"
    package static let queue = "x-farm-queue"
    package static let deadSince = "x-farm-dead-since"
    /// The first id of a job that was requeued.
    package static let firstJob = "x-farm-first-job"
    /// When a message that is tried again is due.
    package static let dueAt = "x-farm-due-at"
    /// How a requeued job died before: a JSON array.
    package static let history = "x-farm-history"

    /// Set on a copy that replaces a message which a consumer held. It says what the broker would say of the original.
    package static let redelivered = "x-farm-redelivered"
    package static let yes = "yes"
    /// How often a message has come back to a quorum queue.
    package static let returns = "x-delivery-count"

    package static let prefix = "x-farm-"

    /// The headers that describe one death and the tries before it. They are removed when the job is requeued.
    static let ofDeath: Set<String> = [reason, message, tries, worker, firstFailure, queue, deadSince, dueAt]
    /// Headers that a broker wrote when it moved a message by itself. The broker reads them again, so they must not be
    /// given back as text.
    static let ofBroker: Set<String> = [
        "x-death", returns, "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason",
        "x-last-death-exchange", "x-last-death-queue", "x-last-death-reason",
    ]
    /// Headers that name other queues for the message (sender-selected distribution). A copy goes only to its own
    /// queue, and the broker refuses these headers as text.
    package static let ofRouting: Set<String> = ["CC", "BCC"]
}

extension DeadLetter {
    /// The longest message that goes into a header, in characters.
    private static let messageLimit = 1000

    /// The headers of a dead letter: those of spec section 3, the message, and the time of death.
    package func headers(from queue: String, deadSince: Date) -> [String: String] {
        [
            FarmHeader.reason: reason, FarmHeader.message: String(message.prefix(DeadLetter.messageLimit)),
            FarmHeader.tries: String(tries), FarmHeader.worker: workerID,
            FarmHeader.firstFailure: Timestamp.iso8601(firstFailure), FarmHeader.queue: queue,
            FarmHeader.deadSince: Timestamp.iso8601(deadSince),
        ]
    }
}
