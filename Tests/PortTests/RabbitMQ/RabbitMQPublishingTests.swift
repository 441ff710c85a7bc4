import Foundation
import Pipeline
@testable import RabbitMQ
import Servers
import Synchronization
import Testing
import Waiting

@Suite("Publishing to RabbitMQ", .timeLimit(.minutes(5)))
struct RabbitMQPublishingTests {
    private let server: RabbitMQServer

    init() throws { server = try .shared() }

    private func open(_ change: (inout RabbitMQOptions) -> Void = { _ in }) async throws -> RabbitMQQueue {
        var options = server.options()
        change(&options)
        return try await RabbitMQQueue(options, time: SystemTime(), log: quiet)
    }

    private static let full = #"{<<"x-max-length">>, long, 10}, {<<"x-overflow">>, longstr, <<"reject-publish">>}"#

    @Test("one full queue holds up no other, and only what it has not taken is left")
    func full() async throws {
        let (full, free) = (uniqueName("full"), uniqueName("free"))
        try await server.make(full, RabbitMQPublishingTests.full)
        let queue = try await open()
        let messages = (0..<1200).map { Message(queue: $0 % 2 == 0 ? full : free, body: Array("\($0)".utf8)) }
        var rest = messages
        for _ in 0..<5 {
            let unpublished = await queue.offer(rest)
            #expect(unpublished.count == 1)
            #expect(unpublished[0].fault.kind == .transient)
            #expect(unpublished[0].fault.message.contains("basic.nack"))
            rest = unpublished[0].places.map { rest[$0] }
            #expect(rest.allSatisfy { $0.queue == full })
        }
        let depths = try await queue.depths(of: [full, free])
        #expect(depths[1].waiting == 600)
        // A queue that is full may take a few more before it says so.
        #expect(rest.count + depths[0].waiting == 600)
        let consumer = try await queue.consume(full, prefetch: 100)
        var taken = Set<String>()
        while taken.count < 600 {
            let deliveries = try await consumer.next(upTo: 100)
            for text in deliveries.map(\.text) { #expect(taken.insert(text).inserted, "\(text) is there twice") }
            try await consumer.acknowledge(deliveries.map(\.receipt))
            let unpublished = await queue.offer(rest)
            rest = unpublished.flatMap(\.places).sorted().map { rest[$0] }
        }
        #expect(taken == Set(messages.filter { $0.queue == full }.map { String(decoding: $0.body, as: UTF8.self) }))
        await queue.close()
    }

    @Test("dead letters that are safe are not made again when others are not")
    func dead() async throws {
        let name = uniqueName()
        try await server.make(name + ".dead", RabbitMQPublishingTests.full)
        let queue = try await open()
        try await queue.publish((0..<100).map(String.init), to: name)
        let consumer = try await queue.consume(name, prefetch: 100)
        var taken: [Delivery] = []
        while taken.count < 100 { taken += try await consumer.next(upTo: 100) }
        let letter = DeadLetter(
            reason: "timeout", message: "", tries: 1, workerID: "w", firstFailure: Date(timeIntervalSince1970: 0))
        for _ in 0..<3 {
            await #expect(throws: PortFault.self) {
                try await consumer.bury(taken.map { ($0.receipt, letter) })
            }
        }
        await consumer.close()
        let depth = try await queue.depths(of: [name])[0]
        #expect(depth.waiting + depth.dead == 100)
        await queue.close()
    }

    @Test("ends when its task is cancelled, with what is not known to be safe")
    func cancelled() async throws {
        let queue = try await open()
        let name = uniqueName()
        try await queue.declare([name])
        let offering = Task { await queue.offer([Message(queue: name, body: [1])]) }
        offering.cancel()
        let unpublished = await offering.value
        let count = try await queue.depths(of: [name])[0].waiting
        #expect(unpublished.flatMap(\.places).count + count >= 1)
        await queue.close()
    }

    // MARK: The broker's words

    @Test("a limit on connections is told in the broker's words, and is waited for")
    func connectionLimit() async throws {
        let host = try await server.virtualHost()
        try await server.control("set_vhost_limits", "-p", host.name, #"{"max-connections": 0}"#)
        await #expect {
            await (try RabbitMQQueue(server.options(host), time: SystemTime(), log: quiet)).close()
        } throws: { error in
            guard let fault = error as? PortFault else { return false }
            return fault.kind == .transient && fault.message.contains("the broker said: NOT_ALLOWED")
                && fault.message.contains("perhaps")
        }
        await server.remove(host)
    }

    @Test("a limit on queues is told in the broker's words: the queue is not there")
    func queueLimit() async throws {
        let host = try await server.virtualHost()
        let queue = try await RabbitMQQueue(server.options(host), time: SystemTime(), log: quiet)
        try await server.control("set_vhost_limits", "-p", host.name, #"{"max-queues": 1}"#)
        await #expect {
            try await queue.declare(["q"])
        } throws: {
            ($0 as? PortFault)?.message.contains("the broker said: PRECONDITION_FAILED") == true
        }
        let unpublished = await queue.offer([
            Message(queue: "q", body: [1]), Message(queue: "other", body: [1]), Message(queue: "q", body: [2]),
        ])
        #expect(
            unpublished.flatMap(\.places).contains(1), "the first queue is there, its dead letters' and others are not")
        await queue.close()
        await server.remove(host)
    }

    // MARK: Connections that do not last

    /// A test double of time: nothing is waited for, and how long was asked for is noted.
    private final class NotedTime: Timekeeper {
        private let noted = Mutex<[Duration]>([])

        var waits: [Duration] { noted.withLock { $0 } }

        func now() -> Date { Date() }

        func sleep(_ duration: Duration) async throws {
            noted.withLock { $0.append(duration) }
            try Task.checkCancellation()
        }
    }

    @Test(
        "a connection that has not proved itself is followed by longer and longer waits; one that has, by none",
        arguments: [Duration.seconds(3600), .zero])
    func waits(_ proof: Duration) async throws {
        let host = try await server.virtualHost()
        let time = NotedTime()
        var options = server.options(host)
        options.proof = proof
        let queue = try await RabbitMQQueue(options, time: time, log: quiet)
        let name = "q"
        let consumer = try await queue.consume(name, prefetch: 1)
        for round in 0..<4 {
            try await queue.publish(["\(round)"], to: name)
            let taken = try await consumer.next(upTo: 1)
            try await consumer.acknowledge(taken.map(\.receipt))
            _ = try await server.control("close_all_user_connections", host.user, "for a test")
        }
        try await queue.publish(["last"], to: name)
        if proof == .zero {
            #expect(time.waits.isEmpty)
        } else {
            // Two connections, lost four times each.
            #expect(time.waits.count >= 8)
            #expect(time.waits.max() ?? .zero >= .milliseconds(800))
        }
        await queue.close()
        await server.remove(host)
    }
}
