import Foundation
import Pipeline
import Testing

@Suite("A queue delivers", .timeLimit(.minutes(5)))
struct DeliveryBehaviours {
    @Test("what was published, byte for byte, with its headers, first in first out", arguments: queueBackends)
    func content(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            let messages = [
                Message(queue: "q", body: Array(#"{"image_id":1}"#.utf8), headers: ["x-farm-reason": "é\"\n"]),
                Message(queue: "q", body: [0xFF, 0x00, 0xFE]), Message(queue: "q", body: []),
                Message(queue: "other", body: [1]),
            ]
            try await queue.publish(messages)
            let consumer = try await queue.consume("q", prefetch: 10)
            var taken: [Delivery] = []
            while taken.count < 3 { taken += try await consumer.next(upTo: 10) }
            #expect(taken.map(\.body) == messages.prefix(3).map(\.body))
            #expect(taken.map(\.headers) == [["x-farm-reason": "é\"\n"], [:], [:]])
            #expect(taken.allSatisfy { !$0.redelivered })
        }
    }

    @Test("in order over several batches", arguments: queueBackends)
    func order(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            for batch in 0..<5 { try await queue.publish((0..<10).map { "\(batch)-\($0)" }, to: "q") }
            let consumer = try await queue.consume("q", prefetch: 50)
            var taken: [String] = []
            while taken.count < 50 { taken += try await consumer.next(upTo: 7).map(\.text) }
            #expect(taken == (0..<5).flatMap { batch in (0..<10).map { "\(batch)-\($0)" } })
        }
    }

    @Test("no more at once than asked for, and no more unsettled than the prefetch", arguments: queueBackends)
    func bounds(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await queue.publish(["1", "2", "3", "4", "5"], to: "q")
            let consumer = try await queue.consume("q", prefetch: 3)
            let first = try await consumer.next(upTo: 2)
            #expect(first.count <= 2)
            var unsettled = first
            while unsettled.count < 3 { unsettled += try await consumer.next(upTo: 10) }
            #expect(unsettled.map(\.text) == ["1", "2", "3"])
            async let next = consumer.next(upTo: 10)
            try await consumer.acknowledge([unsettled[0].receipt])
            #expect(try await next.map(\.text) == ["4"])
        }
    }

    @Test("as many as a new prefetch allows, more and then fewer", arguments: queueBackends)
    func prefetch(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await queue.publish(["1", "2", "3", "4", "5", "6"], to: "q")
            let consumer = try await queue.consume("q", prefetch: 2)
            var unsettled: [Delivery] = []
            while unsettled.count < 2 { unsettled += try await consumer.next(upTo: 10) }
            try await consumer.limit(prefetch: 4)
            while unsettled.count < 4 { unsettled += try await consumer.next(upTo: 10) }
            try await consumer.limit(prefetch: 1)
            async let next = consumer.next(upTo: 10)
            // With one in hand there is no room yet.
            try await consumer.acknowledge(unsettled.prefix(3).map(\.receipt))
            try await consumer.acknowledge(unsettled.suffix(1).map(\.receipt))
            let last = try await next
            #expect(last.count == 1)
            try await consumer.acknowledge(last.map(\.receipt))
            let texts = (unsettled + last).map(\.text) + (try await consumer.next(upTo: 10).map(\.text))
            #expect(texts.sorted() == ["1", "2", "3", "4", "5", "6"])
        }
    }

    @Test("a message to one of two consumers only, and a thousand to four exactly once each", arguments: queueBackends)
    func sharing(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queues = [try await broker.connect().queue, try await broker.connect().queue]
            let texts = (0..<1000).map(String.init)
            let taken = try await withThrowingTaskGroup(of: [String].self) { group in
                for index in 0..<4 {
                    let consumer = try await queues[index % 2].consume("q", prefetch: 10)
                    group.addTask {
                        var taken: [String] = []
                        while true {
                            let deliveries = try await consumer.next(upTo: 10)
                            try await consumer.acknowledge(deliveries.map(\.receipt))
                            let mine = deliveries.map(\.text)
                            taken += mine.filter { $0 != "end" }
                            if mine.contains("end") {
                                await consumer.close()
                                return taken
                            }
                        }
                    }
                }
                for start in stride(from: 0, to: 1000, by: 100) {
                    try await queues[0].publish(Array(texts[start..<start + 100]), to: "q")
                }
                // A consumer that has taken one "end" may hold another: as many as it takes until all have ended.
                var all: [String] = []
                var ended = 0
                try await queues[1].publish(["end"], to: "q")
                while let part = try await group.next() {
                    all += part
                    ended += 1
                    if ended < 4 { try await queues[1].publish(["end"], to: "q") }
                }
                return all
            }
            #expect(taken.sorted() == texts.sorted())
            for queue in queues {
                let depth = try await queue.depths(of: ["q"])[0]
                #expect(depth.waiting == 0)
                #expect(depth.knownInFlight == 0)
                #expect(try await queue.queueNames().isEmpty)
            }
        }
    }

    @Test("to a consumer that waits, whichever process publishes", arguments: queueBackends)
    func waking(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let (here, there) = (try await broker.connect().queue, try await broker.connect().queue)
            // Ping-pong: each side waits while the other one publishes; a wake-up that is missed would hang.
            async let echo: Void = {
                let pings = try await there.consume("ping", prefetch: 1)
                for _ in 0..<100 {
                    let ping = try await pings.next(upTo: 1)
                    try await there.publish(ping.map { Message(queue: "pong", body: $0.body) })
                    try await pings.acknowledge(ping.map(\.receipt))
                }
            }()
            let pongs = try await here.consume("pong", prefetch: 1)
            for number in 0..<100 {
                try await here.publish(["\(number)"], to: "ping")
                let pong = try await pongs.next(upTo: 1)
                #expect(pong.map(\.text) == ["\(number)"])
                try await pongs.acknowledge(pong.map(\.receipt))
            }
            try await echo
        }
    }

    @Test("nothing to a task that is cancelled while it waits, which ends at once", arguments: queueBackends)
    func cancelling(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let connection = try await broker.connect()
            let consumer = try await connection.queue.consume("q", prefetch: 1)
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await consumer.next(upTo: 1) }
                    try await connection.waits()
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
            try await connection.queue.publish(["1"], to: "q")
            #expect(try await consumer.next(upTo: 1).map(\.text) == ["1"])
        }
    }

    @Test("nothing to a task that was cancelled before it asked", arguments: queueBackends)
    func cancelledBefore(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            let consumer = try await queue.consume("q", prefetch: 1)
            try await queue.publish(["1"], to: "q")
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.cancelAll()
                    group.addTask { _ = try await consumer.next(upTo: 1) }
                    try await group.waitForAll()
                }
            }
            #expect(try await consumer.next(upTo: 1).map(\.text) == ["1"])
        }
    }

    @Test("to others what a consumer that pauses had fetched ahead, and goes on when it asks", arguments: queueBackends)
    func pausing(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let (here, there) = (try await broker.connect().queue, try await broker.connect().queue)
            try await here.publish(["1", "2", "3"], to: "q")
            let pausing = try await here.consume("q", prefetch: 10)
            let first = try await pausing.next(upTo: 1)
            try await pausing.pause()
            let other = try await there.consume("q", prefetch: 10)
            var rest: [Delivery] = []
            while rest.count < 2 { rest += try await other.next(upTo: 10) }
            #expect(rest.map(\.text).sorted() == ["2", "3"])
            #expect(try await here.depths(of: ["q"])[0].knownInFlight == (backend.tellsInFlight ? 3 : 1))
            try await other.acknowledge(rest.map(\.receipt))
            await other.close()
            try await pausing.acknowledge(first.map(\.receipt))
            try await here.publish(["4"], to: "q")
            #expect(try await pausing.next(upTo: 1).map(\.text) == ["4"])
        }
    }

    @Test("depths and names of what is there", arguments: queueBackends)
    func depths(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await queue.declare(["b", "a", "empty"])
            try await queue.publish([])
            try await queue.publish(["1", "2", "3"], to: "b")
            try await queue.publish(["1"], to: "a")
            let consumer = try await queue.consume("b", prefetch: 1)
            let taken = try await consumer.next(upTo: 1)
            #expect(taken.count == 1)
            let depths = try await queue.depths(of: ["b", "nowhere", "a"])
            #expect(depths.map(\.queue) == ["b", "nowhere", "a"])
            #expect(depths.map(\.waiting) == [2, 0, 1])
            #expect(depths.map(\.inFlight) == (backend.tellsInFlight ? [1, 0, 0] : [nil, nil, nil]))
            #expect(depths.map(\.knownInFlight) == [1, 0, 0])
            #expect(try await queue.queueNames() == ["a", "b"])
            try await consumer.acknowledge(taken.map(\.receipt))
            let after = try await queue.depths(of: ["b"])[0]
            // Where the queue cannot tell what is in flight, what was fetched ahead is in neither number.
            if let inFlight = after.inFlight { #expect(after.waiting + inFlight == 2) }
        }
    }
}
