import Foundation
import Glibc
import Logging
import Pipeline
@testable import RabbitMQ
import Servers
import Synchronization
import Testing
import Waiting

@Suite("RabbitMQ in trouble", .serialized, .timeLimit(.minutes(5)))
struct RabbitMQFaultTests {
    private let server: RabbitMQServer

    init() async throws { server = try await RabbitMQServer.faulty.value }

    private func open(_ log: Logger = quiet, patience: Duration? = nil) async throws -> RabbitMQQueue {
        var options = server.options()
        options.patience = patience ?? options.patience
        return try await RabbitMQQueue(options, time: SystemTime(), log: log)
    }

    /// Publishes and takes 4,000 messages; half-way `trouble` happens. All have to arrive, at least once each.
    private func flow(_ trouble: @escaping @Sendable () async throws -> Void) async throws {
        let record = LogRecord()
        let queue = try await open(record.logger)
        let name = uniqueName()
        let total = 4000
        let (halfWay, half) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for start in stride(from: 0, to: total, by: 40) {
                    if start == total / 2 { half.finish() }
                    let messages = (start..<start + 40).map { Message(queue: name, body: Array("\($0)".utf8)) }
                    while true {
                        do {
                            try await queue.publish(messages)
                            break
                        } catch let fault as PortFault where fault.kind == .transient {}
                    }
                }
            }
            group.addTask {
                let consumer = try await queue.consume(name, prefetch: 100)
                var seen: Set<String> = []
                while seen.count < total {
                    let taken = try await consumer.next(upTo: 20)
                    seen.formUnion(taken.map(\.text))
                    try await consumer.acknowledge(taken.map(\.receipt))
                }
                #expect(seen == Set((0..<total).map(String.init)))
            }
            group.addTask {
                for await _ in halfWay {}
                try await trouble()
            }
            try await group.waitForAll()
        }
        #expect(record.count("connection lost") >= 2)
        #expect(record.count("again") >= 2)
        await queue.close()
    }

    @Test("nothing is lost when the broker is stopped and started")
    func stopped() async throws {
        try await flow { [server] in
            try await server.stop()
            try await server.start()
        }
    }

    @Test("nothing is lost when the broker is killed and started")
    func killed() async throws {
        try await flow { [server] in
            try await server.kill()
            try await server.start()
        }
    }

    @Test("nothing is lost when the broker closes all connections")
    func connectionsClosed() async throws {
        try await flow { [server] in try await server.control("close_all_connections", "for a test") }
    }

    @Test("a receipt of a lost connection is dropped, and its message comes again")
    func oldReceipts() async throws {
        let queue = try await open()
        let name = uniqueName()
        try await queue.publish(["1"], to: name)
        let consumer = try await queue.consume(name, prefetch: 1)
        let old = try await consumer.next(upTo: 1).map(\.receipt)
        try await server.control("close_all_connections", "for a test")
        let again = try await consumer.next(upTo: 1)
        #expect(again.map(\.text) == ["1"])
        #expect(again.map(\.redelivered) == [true])
        try await consumer.acknowledge(old)
        try await consumer.giveBack(old, after: .zero)
        await consumer.close()
        #expect(try await queue.depths(of: [name])[0].waiting == 1)
        await queue.close()
    }

    @Test(
        "publishing waits while the broker is short of memory, says so once, and goes on; consuming and asking do too")
    func memoryAlarm() async throws {
        let record = LogRecord()
        // rabbitmqctl may take longer on a busy machine than anybody usually waits for a broker.
        let queue = try await open(record.logger, patience: .seconds(600))
        let name = uniqueName()
        try await queue.publish((0..<100).map(String.init), to: name)
        try await server.control("set_vm_memory_high_watermark", "0.0001")
        let isPublished = Mutex(false)
        async let publishing: Void = {
            for batch in 0..<4 {
                try await queue.publish((0..<1000).map { "\(batch)-\($0)" }, to: name)
            }
            isPublished.withLock { $0 = true }
        }()
        while await queue.publisher.blockade == nil { try await Task.sleep(for: .milliseconds(20)) }
        let consumer = try await queue.consume(name, prefetch: 100)
        var taken: [Delivery] = []
        while taken.count < 100 { taken += try await consumer.next(upTo: 100) }
        try await consumer.acknowledge(taken.map(\.receipt))
        try await queue.declare([uniqueName("new")])
        _ = try await queue.depths(of: [name])
        #expect(isPublished.withLock { !$0 })
        try await server.control("set_vm_memory_high_watermark", "absolute", "1GB")
        try await publishing
        #expect(record.count("takes no messages") == 1)
        #expect(record.count("takes messages again") == 1)
        #expect(record.count("connection lost") == 0)
        await queue.close()
    }

    @Test("a broker that falls silent is given up after two heartbeats, and taken again when it speaks")
    func silent() async throws {
        let record = LogRecord()
        var options = server.options()
        (options.heartbeat, options.connectLimit) = (.seconds(2), .seconds(1))
        let queue = try await RabbitMQQueue(options, time: SystemTime(), log: record.logger)
        let name = uniqueName()
        let consumer = try await queue.consume(name, prefetch: 1)
        let text = try String(contentsOfFile: server.folder + "/pid", encoding: .utf8)
        let process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        Glibc.kill(process, SIGSTOP)
        defer { Glibc.kill(process, SIGCONT) }
        async let published: Void = queue.publish(["1"], to: name)
        while record.count("connection lost") < 2 { try await Task.sleep(for: .milliseconds(50)) }
        #expect(record.count("silent for two heartbeats") == 2)
        Glibc.kill(process, SIGCONT)
        try await published
        #expect(try await consumer.next(upTo: 1).map(\.text) == ["1"])
        await queue.close()
    }

    @Test("a message that is too large for the broker is refused, and only that one")
    func tooLarge() async throws {
        // RabbitMQ 3 looks in the one place, 4 in the other.
        try await server.control("eval", "application:set_env(rabbit, max_message_size, 1000000).")
        try await server.control("eval", "persistent_term:put(max_message_size, 1000000).")
        let queue = try await open()
        let name = uniqueName()
        try await queue.declare([name])
        async let small: Void = queue.publish((0..<300).map(String.init), to: name)
        await #expect {
            try await queue.publish([Message(queue: name, body: Array(repeating: 1, count: 2_000_000))])
        } throws: {
            ($0 as? PortFault)?.kind == .refused && "\($0)".contains("larger")
        }
        try await small
        try await queue.publish(["after"], to: name)
        #expect(try await queue.depths(of: [name])[0].waiting >= 301)
        await queue.close()
    }

    @Test("a broker that allows few channels is told of, and its connections are not opened again and again")
    func fewChannels() async throws {
        try await server.control("eval", "application:set_env(rabbit, channel_max, 4).")
        let record = LogRecord()
        let queue = try await open(record.logger)
        try await server.control("eval", "application:set_env(rabbit, channel_max, 2047).")
        // One channel asks about queues.
        var consumers: [any JobConsumer] = []
        for _ in 0..<3 { consumers.append(try await queue.consume(uniqueName(), prefetch: 1)) }
        await #expect {
            try await queue.consume(uniqueName(), prefetch: 1)
        } throws: {
            ($0 as? PortFault)?.kind == .unusable && "\($0)".contains("channel_max")
        }
        let name = uniqueName()
        try await queue.publish(["1"], to: name)
        #expect(try await queue.depths(of: [name])[0].waiting == 1)
        #expect(record.count("connection lost") == 0)
        await queue.close()
    }
}
