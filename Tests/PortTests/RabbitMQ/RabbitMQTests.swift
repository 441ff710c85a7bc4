import Foundation
import Model
import Pipeline
@testable import RabbitMQ
import Servers
import Testing
import Waiting

@Suite("RabbitMQ", .timeLimit(.minutes(5)))
struct RabbitMQTests {
    private let server: RabbitMQServer

    init() throws { server = try .shared() }

    private func open(_ change: (inout RabbitMQOptions) -> Void = { _ in }) async throws -> RabbitMQQueue {
        var options = server.options()
        change(&options)
        return try await RabbitMQQueue(options, time: SystemTime(), log: quiet)
    }

    @Test("a queue is declared classic or quorum; one that exists is used as it is")
    func types() async throws {
        let (classic, quorum) = (try await open(), try await open { $0.queueType = .quorum })
        let (first, second) = (uniqueName("classic"), uniqueName("quorum"))
        try await classic.declare([first])
        try await quorum.declare([second])
        let list = try await server.control("list_queues", "name", "type", "durable", "arguments", "--silent")
        // RabbitMQ 4 writes down the type that it gave.
        let declared = try #require(list.split(separator: "\n").first { $0.hasPrefix(first + "\t") })
        #expect(declared.contains(/\tclassic\ttrue\t\[({"x-queue-type","classic"})?\]$/))
        #expect(list.contains(/quorum\ttrue\t.*"x-delivery-limit",2147483647/))
        // Each finds the other's.
        try await classic.declare([second])
        try await quorum.declare([first])
        try await classic.publish(["1"], to: second)
        try await quorum.publish(["2"], to: first)
        #expect(try await classic.consume(second, prefetch: 1).next(upTo: 1).map(\.text) == ["1"])
        #expect(try await quorum.consume(first, prefetch: 1).next(upTo: 1).map(\.text) == ["2"])
        await classic.close()
        await quorum.close()
    }

    @Test("a dead letter carries its original and what is known of its end")
    func deadLetter() async throws {
        let queue = try await open()
        let name = uniqueName()
        try await queue.publish([Message(queue: name, body: [0xFF, 0], headers: ["theirs": "1", "x-farm-tries": "9"])])
        let consumer = try await queue.consume(name, prefetch: 1)
        let taken = try await consumer.next(upTo: 1)
        let letter = DeadLetter(
            reason: "timeout", message: "no answer", tries: 3, workerID: "w1",
            firstFailure: Date(timeIntervalSince1970: 1_789_000_000))
        try await consumer.bury(taken.map { ($0.receipt, letter) })
        // Again is once.
        try await consumer.bury(taken.map { ($0.receipt, letter) })
        let dead = try await queue.consume(name + ".dead", prefetch: 2).next(upTo: 2)
        #expect(dead.map(\.body) == [[0xFF, 0]])
        var headers = try #require(dead.first).headers
        #expect(headers.removeValue(forKey: "x-farm-dead-since").flatMap(Timestamp.date) != nil)
        #expect(
            headers == [
                "theirs": "1", "x-farm-reason": "timeout", "x-farm-message": "no answer", "x-farm-tries": "3",
                "x-farm-worker": "w1", "x-farm-first-failure": Timestamp.iso8601(letter.firstFailure),
                "x-farm-queue": name,
            ])
        await queue.close()
    }

    @Test("a pause gives back what was fetched ahead; next goes on")
    func pause() async throws {
        let (queue, other) = (try await open(), try await open())
        let name = uniqueName()
        try await queue.publish((1...6).map(String.init), to: name)
        let consumer = try await queue.consume(name, prefetch: 4)
        let first = try await consumer.next(upTo: 1)
        #expect(first.map(\.text) == ["1"])
        try await consumer.pause()
        try await consumer.pause()
        // The broker hears it on one channel and is asked on another: it may count them a moment later.
        while try await queue.depths(of: [name])[0].waiting != 5 {}
        let second = try await other.consume(name, prefetch: 1).next(upTo: 1)
        #expect(second.map(\.text) == ["2"])
        try await consumer.acknowledge(first.map(\.receipt))
        #expect(try await consumer.next(upTo: 1).map(\.text) == ["3"])
        await queue.close()
        await other.close()
    }

    @Test("the depths count consumers; one that pauses is none, though it may hold a message")
    func consumers() async throws {
        let queue = try await open()
        let name = uniqueName()
        #expect(try await queue.depths(of: [name])[0].consumers == 0)
        try await queue.publish(["1"], to: name)
        let consumer = try await queue.consume(name, prefetch: 1)
        _ = try await consumer.next(upTo: 1)
        #expect(try await queue.depths(of: [name])[0].consumers == 1)
        try await consumer.pause()
        // The broker hears it on one channel and is asked on another.
        while try await queue.depths(of: [name])[0].consumers != 0 {}
        #expect(try await queue.depths(of: [name])[0].held == 1)
        await queue.close()
    }

    @Test("a message of 5 MB, and headers that do not fit")
    func sizes() async throws {
        let queue = try await open()
        let name = uniqueName()
        let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await queue.publish([Message(queue: name, body: body)])
        #expect(try await queue.consume(name, prefetch: 1).next(upTo: 1).map(\.body) == [body])
        for headers in [
            ["a": String(repeating: "x", count: 200_000)], [String(repeating: "x", count: 300): ""], ["": ""],
        ] {
            await #expect { try await queue.publish([Message(queue: name, body: [], headers: headers)]) } throws: {
                ($0 as? PortFault)?.kind == .refused
            }
        }
        for name in ["", String(repeating: "q", count: 300)] {
            await #expect { try await queue.publish([Message(queue: name, body: [])]) } throws: {
                ($0 as? PortFault)?.kind == .refused
            }
        }
        await queue.close()
    }

    @Test("a queue that is deleted while it is published to is made again, and nothing confirmed is missing after it")
    func deleted() async throws {
        let queue = try await open()
        let name = uniqueName()
        try await queue.publish(["before"], to: name)
        try await server.control("delete_queue", name)
        try await queue.publish((0..<1000).map(String.init), to: name)
        #expect(try await queue.depths(of: [name])[0].waiting == 1000)
        await queue.close()
    }

    @Test("a consumer whose queue is deleted goes on when it is there again")
    func consumerOfDeleted() async throws {
        let queue = try await open()
        let name = uniqueName()
        let consumer = try await queue.consume(name, prefetch: 2)
        async let taken = consumer.next(upTo: 1)
        try await queue.publish(["1"], to: name)
        _ = try await taken
        try await server.control("delete_queue", name)
        try await queue.publish(["2"], to: name)
        #expect(try await consumer.next(upTo: 1).map(\.text) == ["2"])
        await queue.close()
    }

    @Test("an idle connection stays, by its heartbeats")
    func idle() async throws {
        let record = LogRecord()
        var options = server.options()
        options.heartbeat = .seconds(2)
        let queue = try await RabbitMQQueue(options, time: SystemTime(), log: record.logger)
        // Idle is what is tested: nothing but time can show it.
        try await Task.sleep(for: .seconds(9))
        let name = uniqueName()
        try await queue.publish(["1"], to: name)
        #expect(try await queue.consume(name, prefetch: 1).next(upTo: 1).map(\.text) == ["1"])
        #expect(record.count("connection lost") == 0)
        await queue.close()
    }

    @Test("connections have names that operators find")
    func names() async throws {
        let name = uniqueName("farm")
        let queue = try await open { $0.connectionName = name }
        let list = try await server.control("list_connections", "client_properties", "--silent")
        #expect(list.contains("\(name) (publishing)"))
        #expect(list.contains("\(name) (consuming)"))
        await queue.close()
    }

    // MARK: Refusals

    private func fault(_ change: (inout RabbitMQOptions) -> Void) async throws -> PortFault {
        var thrown: PortFault?
        do { await (try open(change)).close() } catch let fault as PortFault { thrown = fault }
        return try #require(thrown)
    }

    @Test("a wrong password, virtual host or port is named with its mend, and the password never")
    func refusals() async throws {
        let password = try await fault { $0.password = { "s3cret" } }
        #expect(password.kind == .unusable)
        #expect(password.message.contains("QUEUE_PASSWORD"))
        #expect(!"\(password)".contains("s3cret"))
        #expect(password.message.hasPrefix("the broker said: ACCESS_REFUSED"))
        let host = try await fault { $0.virtualHost = "nowhere" }
        // The same code as for a limit on connections, which passes.
        #expect(host.kind == .transient)
        #expect(host.message.hasPrefix("the broker said: NOT_ALLOWED"))
        #expect(host.message.contains("QUEUE_VHOST"))
        #expect(try await fault { $0.port = 1 }.kind == .transient)
        #expect(try await fault { $0.hosts = ["no-such-host.invalid"] }.message.contains("QUEUE_HOST"))
    }

    @Test("missing rights are named")
    func rights() async throws {
        let user = uniqueName("user")
        try await server.control("add_user", user, "p@ss:wörd/'\"")
        try await server.control("set_permissions", "-p", "/", user, "^mine", "^mine", ".*")
        let queue = try await open {
            $0.user = user
            $0.password = { "p@ss:wörd/'\"" }
        }
        for name in [uniqueName("theirs"), uniqueName("mine")] {
            await #expect { try await queue.publish(["1"], to: name) } throws: {
                ($0 as? PortFault)?.kind == .unusable && "\($0)".contains("set_permissions")
            }
        }
        await queue.close()
    }

    @Test("the next host is taken when the first does not answer")
    func failover() async throws {
        // Nothing listens at 127.0.0.2: the broker is bound to 127.0.0.1.
        let queue = try await open { $0.hosts = ["127.0.0.2", "localhost"] }
        let name = uniqueName()
        try await queue.publish(["1"], to: name)
        #expect(try await queue.depths(of: [name])[0].waiting == 1)
        await queue.close()
    }

    @Test("TLS with the authority's file; a foreign authority, a wrong name and a port without TLS are refused")
    func tls() async throws {
        func secure(_ options: inout RabbitMQOptions) {
            (options.tls, options.port, options.caFile) = (true, server.tlsPort, server.caFile)
        }
        let queue = try await open(secure)
        let name = uniqueName()
        try await queue.publish((0..<2000).map(String.init), to: name)
        let consumer = try await queue.consume(name, prefetch: 2000)
        var taken: [String] = []
        while taken.count < 2000 { taken += try await consumer.next(upTo: 2000).map(\.text) }
        #expect(taken == (0..<2000).map(String.init))
        await queue.close()

        let foreign = try await fault {
            secure(&$0)
            $0.caFile = nil
        }
        #expect(foreign.kind == .unusable)
        #expect(foreign.message.contains("QUEUE_CA_FILE"))
        let address = try await fault {
            secure(&$0)
            $0.hosts = ["127.0.0.1"]
        }
        #expect(address.kind == .unusable)
        #expect(address.message.contains("certificate is not for 127.0.0.1"))
        let plain = try await fault {
            secure(&$0)
            $0.port = server.port
        }
        #expect(plain.message.contains("TLS"))
        let missing = try await fault {
            secure(&$0)
            $0.caFile = "/nowhere.pem"
        }
        #expect(missing.kind == .unusable)
    }
}
