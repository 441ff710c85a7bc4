import Pipeline
import Waiting

/// A queue that tells, as events, which messages it has confirmed. Everything else is passed to the queue itself.
package struct ObservedQueue: JobQueue, QueueAdministration, QueueInspection {
    package typealias Base = any JobQueue & QueueAdministration & QueueInspection

    private let base: Base
    private let events: EventStream
    private let time: any Timekeeper

    package init(_ base: Base, events: EventStream, time: any Timekeeper) {
        self.base = base
        self.events = events
        self.time = time
    }

    /// Offers the messages, and tells those that are safe.
    package func offer(_ messages: [Message]) async -> [Unpublished] {
        let began = time.now()
        let unpublished = await base.offer(messages)
        var counts: [String: Int] = [:]
        for message in messages { counts[message.queue, default: 0] += 1 }
        for place in unpublished.flatMap(\.places) { counts[messages[place].queue, default: 0] -= 1 }
        counts = counts.filter { $0.value > 0 }
        if !counts.isEmpty {
            events.tell(.published(counts, seconds: time.now().timeIntervalSince(began)))
        }
        return unpublished
    }

    package func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await base.consume(queue, prefetch: prefetch)
    }

    package func declare(_ queues: [String]) async throws { try await base.declare(queues) }

    package func depths(of queues: [String]) async throws -> [QueueDepth] { try await base.depths(of: queues) }

    package func oldestAges(of queues: [String]) async throws -> [Double?] {
        try await base.oldestAges(of: queues)
    }

    package func blockade() async throws -> String? { try await base.blockade() }

    package func queueNames() async throws -> [String] { try await base.queueNames() }

    package func awaitActivity(upTo limit: Duration) async throws { try await base.awaitActivity(upTo: limit) }

    package func pass(through queue: String, _ part: QueuePart) async throws -> any QueueBrowsing {
        try await base.pass(through: queue, part)
    }

    package func pass(throughDeadOf queue: String, from place: Int64) async throws -> any QueueBrowsing {
        try await base.pass(throughDeadOf: queue, from: place)
    }

    package func purge(_ queue: String) async throws -> Int { try await base.purge(queue) }
}
