import Pipeline
import Synchronization

/// A test double of a queue whose consumers tell when they were paused; all else is another queue's.
final class PauseWatch: JobQueue {
    private let queue: any JobQueue
    private let count = Mutex(0)

    init(_ queue: any JobQueue) { self.queue = queue }

    /// How often a consumer was paused.
    var pauses: Int { count.withLock { $0 } }

    func offer(_ messages: [Message]) async -> [Unpublished] { await queue.offer(messages) }

    func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        Consumer(consumer: try await self.queue.consume(queue, prefetch: prefetch), watch: self)
    }

    private struct Consumer: JobConsumer {
        let consumer: any JobConsumer
        let watch: PauseWatch

        func next(upTo limit: Int) async throws -> [Delivery] { try await consumer.next(upTo: limit) }
        func limit(prefetch: Int) async throws { try await consumer.limit(prefetch: prefetch) }
        func acknowledge(_ receipts: [Receipt]) async throws { try await consumer.acknowledge(receipts) }
        func giveBack(_ receipts: [Receipt], after delay: Duration) async throws {
            try await consumer.giveBack(receipts, after: delay)
        }
        func bury(_ dead: [(receipt: Receipt, letter: DeadLetter)]) async throws { try await consumer.bury(dead) }
        func pause() async throws {
            watch.count.withLock { $0 += 1 }
            try await consumer.pause()
        }
        func close() async { await consumer.close() }
    }
}
