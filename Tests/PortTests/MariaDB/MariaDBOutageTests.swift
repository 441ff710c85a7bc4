import Foundation
import Glibc
import MariaDB
import Model
import Pipeline
import Servers
import Synchronization
import Testing

@Suite("MariaDB: a server that goes and comes")
struct MariaDBOutageTests {
    @Test("one that is down at the start is a transient fault, and used when it is up")
    func late() async throws {
        let server = try await MariaDBServer.started()
        let database = try await server.database()
        try await server.stop()
        let store = MariaDBHeartbeats(server.options(database))
        for _ in 0..<3 { #expect(await fault { try await store.record(.of("w1")) }?.kind == .transient) }
        #expect(await fault { _ = try await store.report(MonitorWindows()) }?.kind == .transient)
        #expect(await fault { _ = try await store.prepare() }?.kind == .transient)
        try await server.start()
        try await store.record(.of("w1"))
        #expect(try await store.report(MonitorWindows()).nodes.map(\.workers) == [1])
        await store.close()
        await server.remove()
    }

    @Test("a connection that a stop, a kill or an administrator ended is made again by the next call")
    func again() async throws {
        let server = try await MariaDBServer.started()
        let database = try await server.database()
        let store = MariaDBHeartbeats(server.options(database))
        try await store.record(.of("w1"))
        for signal in ["TERM", "KILL"] {
            try await server.stop(signal)
            #expect(await fault { try await store.record(.of("lost")) }?.kind == .transient)
            try await server.start()
            try await store.record(.of("w2"))
            try await store.record(.of("w2"))
        }
        try await server.stop()
        try await server.start()
        try await store.record(.of("w3"))
        let root = try await server.connect(database)
        for row in try await root.run(
            "SELECT id FROM information_schema.processlist WHERE user = '\(database.user)'")
        {
            try await root.run("KILL \(row.first ?? "")")
        }
        try await store.record(.of("w4"))
        #expect(try await root.value("SELECT count(*) FROM worker_heartbeats WHERE worker_id = 'lost'") == "0")
        #expect(try await store.report(MonitorWindows()).nodes.map(\.workers) == [4])
        await store.close()
        await server.remove()
    }

    @Test(
        "one that takes connections and says nothing is a transient fault, and while one call waits others fail at once"
    )
    func mute() async throws {
        let server = try MuteServer()
        defer { server.close() }
        let store = MariaDBHeartbeats(
            MariaDBOptions(
                host: "127.0.0.1", port: server.port, name: "monitoring", user: "u", password: { "secret-7x" }))
        let first = await fault { try await store.record(.of("w1")) }
        #expect(first?.kind == .transient)
        #expect(first?.description.contains("secret-7x") == false)

        let isAnswered = Mutex(false)
        async let second: Void = { () async in
            // The first call's connection may still be giving up.
            while server.count < 2 { _ = await fault { try await store.record(.of("w2")) } }
            isAnswered.withLock { $0 = true }
        }()
        await server.connections(2)
        let others = await withTaskGroup(of: PortFault?.self) { group in
            for index in 0..<20 { group.addTask { await fault { try await store.record(.of("o\(index)")) } } }
            var faults: [PortFault?] = []
            for await fault in group { faults.append(fault) }
            return faults
        }
        #expect(others.allSatisfy { $0?.kind == .transient })
        #expect(!isAnswered.withLock { $0 })
        server.close()
        await second
        await store.close()
    }

    @Test("a locked table is a transient fault, and the next heartbeat gets through")
    func locked() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let store = MariaDBHeartbeats(server.options(database))
        try await store.record(.of("w1"))
        let root = try await server.connect(database)
        try await root.run("LOCK TABLES worker_heartbeats WRITE")
        #expect(await fault { try await store.record(.of("w1")) }?.kind == .transient)
        try await root.run("UNLOCK TABLES")
        // Until the library's own wait has ended too, the outage stands: a call every so often finds its end.
        while await fault({ try await store.record(.of("w2")) })?.kind == .transient {}
        #expect(try await root.value("SELECT count(*) FROM worker_heartbeats WHERE worker_id = 'w2'") == "1")
        await store.close()
    }

    @Test("after close every call fails")
    func closed() async throws {
        let server = try MariaDBServer.shared()
        let store = MariaDBHeartbeats(server.options(try await server.database()))
        try await store.record(.of("w1"))
        await store.close()
        #expect(await fault { try await store.record(.of("w1")) }?.kind == .unusable)
    }
}

/// Takes connections and never says a word.
private final class MuteServer: Sendable {
    let port: Int
    private let descriptor: Int32
    private let accepted = Mutex<[Int32]>([])
    private let arrivals: AsyncStream<Int>

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isListening)
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
        let (arrivals, arrived) = AsyncStream<Int>.makeStream()
        self.arrivals = arrivals
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0, let self else { return arrived.finish() }
                arrived.yield(
                    self.accepted.withLock { accepted in
                        accepted.append(connection)
                        return accepted.count
                    })
            }
        }
    }

    deinit {
        close()
        for connection in accepted.withLock({ $0 }) + [descriptor] { Glibc.close(connection) }
    }

    var count: Int { accepted.withLock { $0.count } }

    /// Waits until so many have come.
    func connections(_ count: Int) async { for await number in arrivals where number >= count { return } }

    func close() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        for connection in accepted.withLock({ $0 }) { shutdown(connection, Int32(SHUT_RDWR)) }
    }
}
