import Doubles
import Foundation
import Model
import Pipeline
import Synchronization
import Testing
import Waiting

@Suite("Triggers that stages publish together")
struct SharedOffersTests {
    /// A test double of a queue that takes a batch when it is let, and nothing for one of its queues.
    private final class Gated: JobQueue {
        let offered = Mutex<[[Message]]>([])
        let gate = Drain()
        let fullQueue = "full"

        func offer(_ messages: [Message]) async -> [Unpublished] {
            offered.withLock { $0.append(messages) }
            await gate.wait()
            let places = messages.indices.filter { messages[$0].queue == fullQueue }
            guard !places.isEmpty else { return [] }
            return [Unpublished(places: places, fault: PortFault(.transient, place: fullQueue, message: "is full"))]
        }

        func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
            throw PortFault(.unusable, place: queue, message: "a double that nobody takes from")
        }
    }

    private func trigger(_ queue: String, _ image: ImageID, traced: Bool = false) -> Message {
        Message(
            queue: queue, body: Array("{\"image_id\":\(image)}".utf8),
            headers: traced ? [TraceContext.header: "00-1"] : [:],
            triggers: image)
    }

    @Test("are one trigger for an image and a queue, while those of others, traced ones and jobs go as they are")
    func coalescing() async throws {
        let queue = Gated()
        let offers = SharedOffers(queue)
        async let first = offers.offer([trigger("a", 1)])
        try await eventually { queue.offered.withLock { !$0.isEmpty } }
        async let others = withTaskGroup(of: [Unpublished].self) { group in
            for _ in 0..<5 { group.addTask { await offers.offer([trigger("a", 2), trigger("a", 3)]) } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        try await eventually { offers.waiting(for: "a") == 5 }
        queue.gate.begin()
        #expect(await first.isEmpty)
        #expect(await others.isEmpty)
        #expect(queue.offered.withLock { $0.map { Set($0.map(\.triggers)) } } == [[1], [2, 3]])
        #expect(queue.offered.withLock { $0.map(\.count) } == [1, 2])

        let traced = [trigger("a", 4, traced: true), trigger("a", 4, traced: true)]
        let job = Message(queue: "a", body: [0x31])
        #expect(await offers.offer(traced + [job, job]).isEmpty)
        #expect(queue.offered.withLock { $0.last?.count } == 4)
    }

    @Test("are told of by their places if their queue does not take them; other queues take theirs")
    func unpublished() async throws {
        let queue = Gated()
        queue.gate.begin()
        let messages = [
            trigger("a", 1), trigger("full", 1), Message(queue: "full", body: [0x31]), trigger("full", 1),
            trigger("b", 2),
        ]
        let unpublished = await SharedOffers(queue).offer(messages)
        #expect(unpublished.flatMap(\.places).sorted() == [1, 2, 3])
        #expect(unpublished.allSatisfy { $0.fault.message == "is full" })
    }

    @Test("of a queue that does not answer hold up no other queue's")
    func separate() async throws {
        let (slow, quick) = (Gated(), Gated())
        quick.gate.begin()
        let both = Fork(slow: slow, quick: quick)
        let offers = SharedOffers(both)
        let stuck = Task { await offers.offer([trigger("slow", 1)]) }
        #expect(await offers.offer([trigger("quick", 1)]).isEmpty)
        slow.gate.begin()
        #expect(await stuck.value.isEmpty)
    }

    /// A test double of a broker one of whose queues does not answer.
    private struct Fork: JobQueue {
        let slow: Gated
        let quick: Gated

        func offer(_ messages: [Message]) async -> [Unpublished] {
            await (messages.contains { $0.queue == "slow" } ? slow : quick).offer(messages)
        }

        func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
            try await quick.consume(queue, prefetch: prefetch)
        }
    }
}
