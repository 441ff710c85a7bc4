import Foundation
import Model
import Pipeline
import PostgreSQL
import Servers
import Synchronization
import Testing

@Suite("A PostgreSQL server that goes away")
struct PostgreSQLOutageTests {
    /// How far the writers are.
    private final class Progress: Sendable {
        private let state = Mutex((written: 0, isRestarted: false))

        var written: Int { state.withLock { $0.written } }

        /// - Returns: whether the server has been restarted.
        func wrote(_ rows: Int) -> Bool {
            state.withLock { state in
                state.written += rows
                return state.isRestarted
            }
        }

        func restarted() { state.withLock { $0.isRestarted = true } }
    }

    /// Repeats what failed for a passing reason, as a stage does.
    private static func persistently(_ operation: () async throws -> Void) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do { return try await operation() } catch let fault as PortFault
                where fault.kind == .transient && ContinuousClock.now < deadline
            { continue }
        }
    }

    @Test(
        "in the midst of work is waited for; every row is there once", .timeLimit(.minutes(5)),
        arguments: ["INT", "QUIT", "KILL"])
    func restart(_ signal: String) async throws {
        let server = try await PostgreSQLServer.started()
        do {
            let database = try await PostgreSQLDatabase.open(server.options())
            let store = PostgreSQLStore(database)
            let images = try await store.add((0..<10).map { NewImage(path: "/\($0)") }, move: false).ids
            let progress = Progress()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<3 {
                    group.addTask {
                        var more = 10
                        while more > 0 {
                            let rows = images.map { AnalysisResult.of($0, "blip", workerID: "w\(worker)") }
                            try await PostgreSQLOutageTests.persistently { try await store.record(rows) }
                            if progress.wrote(rows.count) { more -= 1 }
                        }
                    }
                }
                group.addTask {
                    // There is work under way when it goes.
                    while progress.written < 50 { try await Task.sleep(for: .milliseconds(5)) }
                    try await server.stop(signal)
                    try await server.start()
                    progress.restarted()
                }
                try await group.waitForAll()
            }
            #expect(try await store.totals().results == progress.written)
            await database.close()
        } catch {
            await server.remove()
            throw error
        }
        await server.remove()
    }

    @Test("with one backend is connected to again, unnoticed")
    func terminated() async throws {
        try await withDatabase { options in
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            let image = try #require(try await store.add([NewImage(path: "/a")], move: false).ids.first)
            for _ in 0..<5 {
                let ended = try await tool(
                    options,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(options.name)' AND pid <> pg_backend_pid()"
                )
                #expect(!ended.isEmpty)
                try await store.record([.of(image)])
            }
            #expect(try await store.totals().results == 5)
            await database.close()
        }
    }

    @Test("is named when it is the replica, and nothing that is written waits for it")
    func replica() async throws {
        try await withDatabase { options in
            let first = try await PostgreSQLDatabase.open(options)
            await first.close()
            var split = options
            split.host = "localhost"
            split.readHost = "127.0.0.1"
            let database = try await PostgreSQLDatabase.open(split)
            let store = PostgreSQLStore(database)
            let image = try #require(try await store.add([NewImage(path: "/a")], move: false).ids.first)
            try await store.record([.of(image)])
            #expect(try await store.totals().results == 1)
            await database.close()
            split.readHost = "127.0.0.1:nowhere"
            let halved = try await PostgreSQLDatabase.open(split)
            try await PostgreSQLStore(halved).record([.of(image)])
            let fault = await #expect(throws: PortFault.self) { try await PostgreSQLStore(halved).totals() }
            #expect(fault?.kind == .transient)
            #expect(fault?.place.contains("127.0.0.1:nowhere") == true)
            await halved.close()

            split.host = "127.0.0.1:nowhere"
            split.readHost = "127.0.0.1"
            let reader = try await PostgreSQLDatabase.open(split, readsOnly: true)
            let reports = PostgreSQLStore(reader)
            #expect(try await reports.images(ImageFilter(), after: 0, limit: 9).map(\.image.id) == [image])
            #expect(try await reports.find("/a").map(\.id) == [image])
            #expect(try await reports.report(on: [image]).count == 1)
            #expect(try await reports.boxes(of: [image]) == [[]])
            await reader.close()
        }
    }

    @Test("for long is a passing fault that names it")
    func away() async throws {
        let server = try await PostgreSQLServer.started()
        let database = try await PostgreSQLDatabase.open(server.options())
        let store = PostgreSQLStore(database)
        try await server.stop()
        let fault = await #expect(throws: PortFault.self) { try await store.totals() }
        #expect(fault?.kind == .transient)
        #expect(fault?.place.contains("127.0.0.1:\(server.port)") == true)
        await database.close()
        await server.remove()
    }
}

@Suite("What PostgreSQL cannot hold")
struct PostgreSQLValueTests {
    @Test("of an answer, NUL and lone surrogates, is marked and the rest kept")
    func escapes() async throws {
        try await withDatabase { options in
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            let image = try #require(try await store.add([NewImage(path: "/a")], move: false).ids.first)
            try await store.record([
                .of(image, "blip", #"{"a\u0000b":"x\u0000\ud83d\udc31\ud83dy\udc31\\u0000\u00e9"}"#)
            ])
            let row = try #require(try await store.report(on: [image]).first?.findings.results.first)
            #expect(row.data == .object([.init("a\u{FFFD}b", .string("x\u{FFFD}🐱\u{FFFD}y\u{FFFD}\\u0000é"))]))
            try await store.updateConsensus(of: [image]) { _ in
                ConsensusRecord(data: .string("a\0b"), processingTime: .nan)
            }
            #expect(try await store.report(on: [image]).first?.consensus == .string("a\u{FFFD}b"))
            await database.close()
        }
    }

    @Test("is refused with the column's name, and leaves nothing behind")
    func refused() async throws {
        try await withDatabase { options in
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            let image = try #require(try await store.add([NewImage(path: "/a")], move: false).ids.first)
            for bad in [AnalysisResult.of(image, "blip", "{"), .of(image, "a\0b")] {
                let fault = await #expect(throws: PortFault.self) { try await store.record([.of(image), bad]) }
                #expect(fault?.kind == .refused)
            }
            // No column can hold it, so there is no such image.
            #expect(try await store.record([.of(5_000_000_000)]).count == 1)
            #expect(try await store.totals().results == 0)
            #expect(try await store.images([5_000_000_000, -1]).isEmpty)
            #expect(try await store.find("a\0b").isEmpty)
            _ = try await store.updateBoxes(of: [5_000_000_000], from: ["a"], workerID: "w") { _, _ in BoxChanges() }
            await database.close()
        }
    }

    @Test("at once is split: a group with large answers goes in several statements of one transaction")
    func large() async throws {
        try await withDatabase { options in
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            let image = try #require(try await store.add([NewImage(path: "/a")], move: false).ids.first)
            let text = #"{"text":""# + String(repeating: "x", count: 6 << 20) + #""}"#
            try await store.record((0..<4).map { .of(image, "s\($0)", text) })
            #expect(try await tool(options, "SELECT sum(length(data->>'text')) FROM results") == ["\(24 << 20)"])
            await database.close()
        }
    }
}
