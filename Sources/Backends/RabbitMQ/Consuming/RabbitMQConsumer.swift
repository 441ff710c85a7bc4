import Foundation
import Model
import Pipeline

/// A consumer of one queue of the broker.
final class RabbitMQConsumer: JobConsumer {
    private let queue: String
    private let channel: UInt16
    private let broker: RabbitMQQueue

    init(queue: String, channel: UInt16, broker: RabbitMQQueue) {
        self.queue = queue
        self.channel = channel
        self.broker = broker
    }

    func next(upTo limit: Int) async throws -> [Delivery] {
        try await broker.subscriber.next(channel, upTo: limit)
    }

    func limit(prefetch: Int) async throws { await broker.subscriber.limit(channel, prefetch: prefetch) }

    func acknowledge(_ receipts: [Receipt]) async throws { await broker.subscriber.acknowledge(channel, receipts) }

    /// AMQP cannot delay, so the messages are available at once. Those with a delay go to the end of the queue, where
    /// they are in nobody's way. The originals are gone only when the copies are safe.
    func giveBack(_ receipts: [Receipt], after delay: Duration) async throws {
        if let fault = await broker.subscriber.giveBack(channel, receipts, toEnd: delay > .zero) { throw fault }
    }

    func bury(_ dead: [(receipt: Receipt, letter: DeadLetter)]) async throws {
        let contents = await broker.subscriber.contents(channel, dead.map(\.receipt))
        let now = broker.time.now()
        let letters = dead.compactMap { receipt, letter in
            contents[receipt].map { (receipt, letter.message(for: $0, from: queue, at: now)) }
        }
        guard !letters.isEmpty else { return }
        let unpublished = await broker.offer(letters.map(\.1))
        let open = Set(unpublished.flatMap(\.places))
        await broker.subscriber.acknowledge(
            channel, letters.indices.filter { !open.contains($0) }.map { letters[$0].0 })
        try Task.checkCancellation()
        if let fault = unpublished.gravest { throw fault }
    }

    func pause() async throws { await broker.subscriber.pause(channel) }

    func close() async { await broker.subscriber.close(channel) }
}

extension DeadLetter {
    /// The original, with what is known about its death.
    func message(for content: Frame.Content, from queue: String, at now: Date) -> Message {
        let own = headers(from: queue, deadSince: now)
        let all = content.headers.filter { !FarmHeader.ofRouting.contains($0.key) }.merging(own) { _, new in new }
        // Another program's headers must not keep a bad message from its dead-letter queue.
        return Message(queue: queue + ".dead", body: content.body, headers: HeaderTable.fits(all) ? all : own)
    }
}
