import Foundation
import Pipeline
import Testing

@Suite("A delivery", .timeLimit(.minutes(5)))
struct SettlingBehaviours {
    @Test("that was acknowledged never comes again", arguments: queueBackends)
    func acknowledged(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let connection = try await broker.connect()
            try await connection.queue.publish(["1", "2"], to: "q")
            let consumer = try await connection.queue.consume("q", prefetch: 1)
            try await consumer.acknowledge(try await consumer.next(upTo: 1).map(\.receipt))
            await connection.close()
            let other = try await broker.connect().queue.consume("q", prefetch: 10)
            #expect(try await other.next(upTo: 10).map(\.text) == ["2"])
        }
    }

    @Test("that was given back comes again at its place, redelivered", arguments: queueBackends)
    func givenBack(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await queue.publish(["1", "2", "3"], to: "q")
            let consumer = try await queue.consume("q", prefetch: 1)
            let first = try await consumer.next(upTo: 1)
            try await consumer.giveBack(first.map(\.receipt), after: .zero)
            let again = try await consumer.next(upTo: 1)
            #expect(again.map(\.text) == ["1"])
            #expect(again.map(\.redelivered) == [true])
        }
    }

    @Test(
        "that was given back with a delay comes after it, and lets others pass",
        arguments: queueBackends.filter(\.canDelay))
    func delayed(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await queue.publish(["1", "2"], to: "q")
            let consumer = try await queue.consume("q", prefetch: 2)
            let first = try await consumer.next(upTo: 1)
            try await consumer.giveBack(first.map(\.receipt), after: .seconds(10))
            #expect(try await queue.depths(of: ["q"])[0].waiting == 2)
            #expect(try await consumer.next(upTo: 2).map(\.text) == ["2"])
            async let waiting = consumer.next(upTo: 2)
            try await broker.advance(.seconds(11))
            let again = try await waiting
            #expect(again.map(\.text) == ["1"])
            #expect(again.map(\.redelivered) == [true])
        }
    }

    @Test("that was given back to come later stands in nobody's way, and keeps its headers", arguments: queueBackends)
    func postponed(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            let first = Message(queue: "q", body: Array("1".utf8), headers: ["x-farm-first-job": "a"])
            try await queue.publish([first])
            try await queue.publish(["2", "3"], to: "q")
            let consumer = try await queue.consume("q", prefetch: 1)
            try await consumer.giveBack(try await consumer.next(upTo: 1).map(\.receipt), after: .seconds(10))
            for text in ["2", "3"] {
                let next = try await consumer.next(upTo: 1)
                #expect(next.map(\.text) == [text])
                try await consumer.acknowledge(next.map(\.receipt))
            }
            async let waiting = consumer.next(upTo: 1)
            if backend.canDelay { try await broker.advance(.seconds(11)) }
            let again = try await waiting
            #expect(again.map(\.text) == ["1"])
            #expect(again.first?.headers["x-farm-first-job"] == "a")
            try await consumer.acknowledge(again.map(\.receipt))
            await consumer.close()
            #expect(try await queue.depths(of: ["q"])[0].waiting == 0)
        }
    }

    @Test("that was buried is gone from its queue and counted as dead", arguments: queueBackends)
    func buried(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await queue.publish(["1", "2"], to: "q")
            let consumer = try await queue.consume("q", prefetch: 1)
            let letter = DeadLetter(
                reason: "timeout", message: "no answer", tries: 3, workerID: "w1",
                firstFailure: Date(timeIntervalSince1970: 1_789_000_000))
            let first = try await consumer.next(upTo: 1)
            try await consumer.bury(first.map { ($0.receipt, letter) })
            #expect(try await consumer.next(upTo: 1).map(\.text) == ["2"])
            let depth = try await queue.depths(of: ["q"])[0]
            #expect(depth.waiting == 0)
            #expect(depth.knownInFlight == 1)
            #expect(depth.dead == 1)
            #expect(try await queue.queueNames().contains("q"))
        }
    }

    @Test("is not settled by a receipt of an earlier delivery", arguments: queueBackends)
    func oldReceipt(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await queue.publish(["1"], to: "q")
            let consumer = try await queue.consume("q", prefetch: 1)
            let old = try await consumer.next(upTo: 1).map(\.receipt)
            try await consumer.giveBack(old, after: .zero)
            #expect(try await consumer.next(upTo: 1).map(\.text) == ["1"])
            try await consumer.acknowledge(old)
            try await consumer.giveBack(old, after: .zero)
            await consumer.close()
            let other = try await queue.consume("q", prefetch: 1)
            #expect(try await other.next(upTo: 1).map(\.text) == ["1"])
        }
    }

    @Test("that is unsettled when its consumer closes goes to another one", arguments: queueBackends)
    func closed(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await queue.publish(["1", "2"], to: "q")
            let (leaving, staying) = (
                try await queue.consume("q", prefetch: 2), try await broker.connect().queue.consume("q", prefetch: 2)
            )
            var taken: [Delivery] = []
            while taken.count < 2 { taken += try await leaving.next(upTo: 2) }
            async let next = staying.next(upTo: 2)
            await leaving.close()
            var again = try await next
            while again.count < 2 { again += try await staying.next(upTo: 2) }
            #expect(again.map(\.text).sorted() == ["1", "2"])
            #expect(again.allSatisfy { $0.redelivered })
        }
    }

    @Test(
        "whose process dies goes to another process; what the dead one still says is dropped", arguments: queueBackends)
    func died(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let (dying, other) = (try await broker.connect(), try await broker.connect())
            try await dying.queue.publish(["1"], to: "q")
            let (theirs, ours) = (
                try await dying.queue.consume("q", prefetch: 1), try await other.queue.consume("q", prefetch: 1)
            )
            let lost = try await theirs.next(upTo: 1)
            #expect(lost.map(\.text) == ["1"])
            try await dying.die()
            let again = try await ours.next(upTo: 1)
            #expect(again.map(\.text) == ["1"])
            #expect(again.map(\.redelivered) == [true])
            try? await theirs.acknowledge(lost.map(\.receipt))
            await ours.close()
            let third = try await other.queue.consume("q", prefetch: 1)
            #expect(try await third.next(upTo: 1).map(\.text) == ["1"])
        }
    }

    @Test("stays with a process that lives", arguments: queueBackends)
    func kept(_ backend: QueueBackend) async throws { try await kept(backend, for: nil) }

    @Test("stays with a process that lives, however long it takes", arguments: queueBackends.filter(\.hasClock))
    func keptForLong(_ backend: QueueBackend) async throws { try await kept(backend, for: .seconds(120)) }

    private func kept(_ backend: QueueBackend, for span: Duration?) async throws {
        try await backend.run { broker in
            let (here, there) = (try await broker.connect(), try await broker.connect())
            try await here.queue.publish(["slow"], to: "q")
            let (ours, theirs) = (
                try await here.queue.consume("q", prefetch: 1), try await there.queue.consume("q", prefetch: 2)
            )
            let slow = try await ours.next(upTo: 1)
            if let span { try await broker.advance(span) }
            try await here.queue.publish(["next"], to: "q")
            #expect(try await theirs.next(upTo: 2).map(\.text) == ["next"])
            try await ours.acknowledge(slow.map(\.receipt))
            let depth = try await there.queue.depths(of: ["q"])[0]
            #expect(depth.waiting == 0)
            #expect(depth.knownInFlight == 1)
        }
    }
}
