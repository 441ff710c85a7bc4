import Foundation
import Pipeline
@testable import RabbitMQ
import Servers
import Testing
import Waiting

/// How a queue comes to a delivery limit.
enum DeliveryLimit: Sendable, CustomTestStringConvertible {
    case argument(Int)
    case policy(Int)

    var testDescription: String {
        switch self {
        case .argument(let limit): "x-delivery-limit \(limit)"
        case .policy(let limit): "a policy of \(limit)"
        }
    }

    static let all = [DeliveryLimit.argument(1), .argument(2), .policy(1)]
}

extension RabbitMQServer {
    /// Another program's queue.
    func make(_ queue: String, _ arguments: String, in host: String = "/") async throws {
        try await evaluate(
            """
            rabbit_amqqueue:declare(rabbit_misc:r(<<"\(host)">>, queue, <<"\(queue)">>), true, false, [\(arguments)],
                none, <<"test">>).
            """)
    }

    /// A quorum queue that drops what comes back too often, and one for its dead letters.
    func make(_ queue: String, limit: DeliveryLimit, in host: String = "/", other: String = "") async throws {
        var arguments = #"{<<"x-queue-type">>, longstr, <<"quorum">>}"#
        switch limit {
        case .argument(let limit): arguments += #", {<<"x-delivery-limit">>, long, \#(limit)}"#
        case .policy(let limit):
            try await control(
                "set_policy", "-p", host, queue, "^\(queue)", #"{"delivery-limit": \#(limit)}"#, "--apply-to", "queues")
        }
        try await make(queue, arguments + other, in: host)
        try await make(queue + ".dead", arguments, in: host)
    }
}

@Suite("A queue of RabbitMQ that counts what it has back", .timeLimit(.minutes(5)))
struct RabbitMQReturnTests {
    /// Far more often than any of the limits.
    private static let rounds = 24
    private static let bodies = (1...5).map(String.init)

    private let server: RabbitMQServer

    init() throws { server = try .shared() }

    private func open() async throws -> RabbitMQQueue {
        try await RabbitMQQueue(server.options(), time: SystemTime(), log: quiet)
    }

    private func filled(_ limit: DeliveryLimit, other: String = "") async throws -> String {
        let name = uniqueName()
        try await server.make(name, limit: limit, other: other)
        let queue = try await open()
        try await queue.publish(RabbitMQReturnTests.bodies, to: name)
        await queue.close()
        return name
    }

    private func take(_ count: Int, from consumer: any JobConsumer) async throws -> [Delivery] {
        var taken: [Delivery] = []
        while taken.count < count { taken += try await consumer.next(upTo: count - taken.count) }
        return taken
    }

    /// All that waits, acknowledged.
    private func rest(of name: String, count: Int) async throws -> [Delivery] {
        let queue = try await open()
        let taken = try await take(count, from: try await queue.consume(name, prefetch: 10))
        #expect(try await queue.depths(of: [name]).map(\.waiting) == [0])
        #expect(try await queue.depths(of: [name]).map(\.dead) == [0])
        await queue.close()
        return taken
    }

    @Test("has all of it after 24 drains, with the mark that a consumer had it", arguments: DeliveryLimit.all)
    func drains(_ limit: DeliveryLimit) async throws {
        let name = try await filled(limit)
        for _ in 0..<RabbitMQReturnTests.rounds {
            let queue = try await open()
            let consumer = try await queue.consume(name, prefetch: 5)
            // Two stay where they were fetched to; one goes back by itself, the others with the consumer.
            let taken = try await take(3, from: consumer)
            try await consumer.giveBack([taken[0].receipt], after: .zero)
            await consumer.close()
            await queue.close()
        }
        let rest = try await rest(of: name, count: 5)
        #expect(rest.map(\.text).sorted() == RabbitMQReturnTests.bodies)
        #expect(rest.allSatisfy { $0.redelivered })
        #expect(rest.allSatisfy { $0.headers.isEmpty })
    }

    @Test("has all of it after 24 pauses")
    func pauses() async throws {
        let name = try await filled(.argument(1))
        let queue = try await open()
        let consumer = try await queue.consume(name, prefetch: 5)
        for _ in 0..<RabbitMQReturnTests.rounds {
            let taken = try await take(1, from: consumer)
            try await consumer.pause()
            try await consumer.giveBack(taken.map(\.receipt), after: .zero)
        }
        await queue.close()
        #expect(try await rest(of: name, count: 5).map(\.text).sorted() == RabbitMQReturnTests.bodies)
    }

    @Test("has all of it after 24 connections that were lost with it")
    func lostConnections() async throws {
        let name = try await filled(.argument(1))
        for _ in 0..<RabbitMQReturnTests.rounds {
            let queue = try await open()
            let consumer = try await queue.consume(name, prefetch: 10)
            let taken = try await take(5, from: consumer)
            #expect(Set(taken.map(\.text)).count == 5)
            await queue.abandon()
        }
        let rest = try await rest(of: name, count: 5)
        #expect(rest.map(\.text).sorted() == RabbitMQReturnTests.bodies)
        #expect(rest.allSatisfy { $0.redelivered }, "deaths are counted by it")
    }

    @Test("has all of it, in its order, after 24 looks at it", arguments: [QueuePart.waiting, .dead])
    func looks(_ part: QueuePart) async throws {
        let name = try await filled(.argument(1))
        let queue = try await open()
        if part == .dead {
            let consumer = try await queue.consume(name, prefetch: 5)
            let letter = DeadLetter(
                reason: "timeout", message: "", tries: 1, workerID: "w", firstFailure: Date(timeIntervalSince1970: 0))
            try await consumer.bury(try await take(5, from: consumer).map { ($0.receipt, letter) })
            await consumer.close()
        }
        for _ in 0..<RabbitMQReturnTests.rounds {
            let pass = try await queue.pass(through: name, part)
            var seen: [String] = []
            while case let batch = try await pass.next(), !batch.isEmpty { seen += batch.map(\.text) }
            #expect(seen == RabbitMQReturnTests.bodies)
            try await pass.close()
        }
        let pass = try await queue.pass(through: name, part)
        let shown = try await pass.next()
        #expect(shown.allSatisfy { ($0.headers["x-farm-reason"] == "timeout") == (part == .dead) })
        #expect(try await pass.remove([shown[1].receipt]) == 1)
        try await pass.close()
        let after = try await queue.pass(through: name, part)
        #expect(try await after.next().map(\.text) == ["1", "3", "4", "5"])
        try await after.close()
        await queue.close()
    }

    @Test("has at its end what was looked at: another look goes on before that, and passes over nothing")
    func goingOn() async throws {
        let name = uniqueName()
        try await server.make(name, limit: .argument(1))
        let queue = try await open()
        let all = (1...20).map(String.init)
        try await queue.publish(all, to: name + ".dead")
        var place: Int64 = 0
        for range in [0..<1, 1..<9, 9..<18, 18..<20, 20..<20] {
            let pass = try await queue.pass(throughDeadOf: name, from: place)
            let batch = try await pass.next(upTo: max(1, range.count))
            #expect(batch.map(\.text) == Array(all[range]))
            if let last = batch.last { place = await pass.place(after: last.receipt) }
            try await pass.close()
        }
        await queue.close()
    }

    @Test("and is full takes no copies: what it has had back once becomes a dead letter, nothing is dropped")
    func full() async throws {
        let name = try await filled(
            .argument(1),
            other: #", {<<"x-max-length">>, long, 5}, {<<"x-overflow">>, longstr, <<"reject-publish">>}"#)
        let (queue, other) = (try await open(), try await open())
        var extra = 0
        for round in 0..<4 {
            let consumer = try await queue.consume(name, prefetch: 2)
            let taken = try await take(2, from: consumer)
            // A producer fills the place up.
            while await other.offer([Message(queue: name, body: Array("more".utf8))]).isEmpty { extra += 1 }
            await #expect(throws: PortFault.self, "round \(round)") {
                try await consumer.giveBack(taken.map(\.receipt), after: .zero)
            }
            await consumer.close()
        }
        await queue.close()
        await other.close()
        let last = try await open()
        let depth = try await last.depths(of: [name])[0]
        #expect(depth.waiting + depth.dead == 5 + extra)
        await last.close()
    }

    @Test("is known by what it delivers; a classic queue has in its old place what goes back")
    func kinds() async throws {
        let names = [uniqueName("classic"), uniqueName("quorum"), uniqueName("bounded")]
        try await server.make(names[0], "")
        try await server.make(names[1], #"{<<"x-queue-type">>, longstr, <<"quorum">>}"#)
        try await server.make(names[2], #"{<<"x-max-length">>, long, 100}"#)
        let queue = try await open()
        #expect(await !queue.subscriber.countsReturns(names[0]))
        #expect(await queue.subscriber.countsReturns(names[1]))
        #expect(await queue.subscriber.countsReturns(names[2]), "its arguments cannot be known")
        #expect(await queue.subscriber.countsReturns(uniqueName("missing")))
        await queue.close()
    }

    @Test("that is a stream is refused with the broker's words")
    func stream() async throws {
        let name = uniqueName("stream")
        try await server.make(name, #"{<<"x-queue-type">>, longstr, <<"stream">>}"#)
        let queue = try await open()
        let consumer = try await queue.consume(name, prefetch: 5)
        await #expect {
            _ = try await consumer.next(upTo: 1)
        } throws: { error in
            guard let fault = error as? PortFault else { return false }
            return fault.kind == .unusable && fault.message.contains("the broker said: PRECONDITION_FAILED")
                && fault.message.contains("perhaps it is a stream")
        }
        await queue.close()
    }
}
