import Model
import Pipeline
import Synchronization

/// A test double of a queue whose process is killed at some step: what was published by then is there, and nothing else happens.
/// A step is a question or one published message.
final class MortalQueue: JobQueue, QueueAdministration, QueueInspection {
    struct Killed: Error {}

    private let queue: any JobQueue & QueueAdministration & QueueInspection
    private let steps: Mutex<Int>
    private let refusals: Mutex<(queue: String, times: Int)>

    /// - Parameters:
    ///   - steps: it dies in this one.
    ///   - name: a queue that refuses half of its messages for a while.
    init(
        _ queue: any JobQueue & QueueAdministration & QueueInspection, dyingAfter steps: Int = .max,
        refusing name: String = "", times: Int = 0
    ) {
        self.queue = queue
        self.steps = Mutex(steps)
        refusals = Mutex((name, times))
    }

    private func isDead() -> Bool {
        steps.withLock { steps in
            steps -= 1
            return steps <= 0
        }
    }

    func offer(_ messages: [Message]) async -> [Unpublished] {
        let full = refusals.withLock { refusals -> String? in
            guard messages.contains(where: { $0.queue == refusals.queue }), refusals.times > 0 else { return nil }
            refusals.times -= 1
            return refusals.queue
        }
        if let full {
            let places = messages.indices.filter { messages[$0].queue == full && $0 % 2 == 0 }
            let taken = messages.indices.filter { !places.contains($0) }.map { messages[$0] }
            do { try await queue.publish(taken) } catch { return .all(of: messages, error, place: "test") }
            return [Unpublished(places: places, fault: PortFault(.transient, place: "broker", message: "full"))]
        }
        for place in messages.indices {
            if isDead() {
                let fault = PortFault(.unusable, place: "test", message: "killed")
                return [Unpublished(places: Array(place..<messages.count), fault: fault)]
            }
            do { try await queue.publish([messages[place]]) } catch { return .all(of: messages, error, place: "test") }
        }
        return []
    }

    func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await self.queue.consume(queue, prefetch: prefetch)
    }

    func declare(_ queues: [String]) async throws { try await queue.declare(queues) }

    func depths(of queues: [String]) async throws -> [QueueDepth] {
        if isDead() { throw Killed() }
        return try await queue.depths(of: queues)
    }

    func blockade() async throws -> String? { try await queue.blockade() }
    func queueNames() async throws -> [String] { try await queue.queueNames() }
    func awaitActivity(upTo limit: Duration) async throws { try await queue.awaitActivity(upTo: limit) }

    func pass(through queue: String, _ part: QueuePart) async throws -> any QueueBrowsing {
        if isDead() { throw Killed() }
        return try await self.queue.pass(through: queue, part)
    }

    func pass(throughDeadOf queue: String, from place: Int64) async throws -> any QueueBrowsing {
        try await self.queue.pass(throughDeadOf: queue, from: place)
    }

    func purge(_ queue: String) async throws -> Int { try await self.queue.purge(queue) }
}
