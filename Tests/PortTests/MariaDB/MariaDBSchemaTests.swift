import Foundation
import MariaDB
import Model
import Pipeline
import Servers
import Testing

@Suite("MariaDB: the table")
struct MariaDBSchemaTests {
    @Test("the guide's own needs nothing, and SELECT, INSERT and UPDATE suffice")
    func guide() async throws {
        let server = try MariaDBServer.shared()
        let store = MariaDBHeartbeats(server.options(try await server.database()))
        #expect(try await store.prepare() == [])
        try await store.record(.of("w1"))
        #expect(try await store.report(MonitorWindows()).nodes.map(\.workers) == [1])
        await store.close()
    }

    @Test("a missing one stops prepare with the SQL for the administrator, which mends it")
    func missing() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database(table: false)
        let store = MariaDBHeartbeats(server.options(database))
        let recording = await fault { try await store.record(.of("w1")) }
        #expect(recording?.kind == .unusable)
        #expect(recording?.message.contains("farm init") == true)
        let preparing = await fault { _ = try await store.prepare() }
        #expect(preparing?.kind == .unusable)
        try await run(try script(in: preparing), on: server)
        #expect(try await store.prepare() == [])
        try await store.record(.of("w1"))
        await store.close()
    }

    @Test("a missing column is added by who may, else the SQL for it is told")
    func column() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let root = try await server.connect(database)
        try await root.run("ALTER TABLE worker_heartbeats DROP COLUMN queue_depth, DROP COLUMN last_job_time")
        let store = MariaDBHeartbeats(server.options(database))
        #expect(await fault { try await store.record(.of("w1")) }?.kind == .unusable)
        let preparing = await fault { _ = try await store.prepare() }
        #expect(preparing?.kind == .unusable)
        try await run(try script(in: preparing), on: server)
        #expect(try await store.prepare() == [])
        try await store.record(.of("w1"))

        try await root.run("ALTER TABLE worker_heartbeats DROP COLUMN queue_depth, DROP INDEX idx_worker_time")
        let owner = MariaDBHeartbeats(server.rootOptions(database))
        #expect(
            try await owner.prepare() == [
                "added the column worker_heartbeats.queue_depth",
                "added the index idx_worker_time to worker_heartbeats",
            ])
        try await store.record(.of("w1"))
        await store.close()
        await owner.close()
    }

    @Test("a missing index is no reason to stop for a user that may not add it")
    func index() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let root = try await server.connect(database)
        try await root.run("ALTER TABLE worker_heartbeats DROP INDEX idx_service_time")
        let store = MariaDBHeartbeats(server.options(database))
        #expect(try await store.prepare() == [])
        await store.close()
    }

    @Test("several that prepare an empty database at once make one table")
    func together() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database(table: false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let owner = MariaDBHeartbeats(server.rootOptions(database))
                    _ = try await owner.prepare()
                    await owner.close()
                }
            }
            try await group.waitForAll()
        }
        let root = try await server.connect(database)
        #expect(try await root.run("SHOW COLUMNS FROM worker_heartbeats").count == 11)
        #expect(try await root.run("SHOW INDEX FROM worker_heartbeats").count == 5)
    }

    @Test("a column timestamp that is no TIMESTAMP is told, with the SQL for it")
    func otherType() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let root = try await server.connect(database)
        try await root.run("ALTER TABLE worker_heartbeats MODIFY timestamp DATETIME")
        let store = MariaDBHeartbeats(server.options(database))
        let preparing = await fault { _ = try await store.prepare() }
        #expect(preparing?.kind == .unusable)
        #expect(preparing?.script?.contains("MODIFY timestamp TIMESTAMP") == true)
        await store.close()
    }

    // MARK: Parts

    private func script(in fault: PortFault?) throws -> [String] {
        return try #require(fault?.script).split(separator: ";").map {
            $0.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    private func run(_ script: [String], on server: MariaDBServer) async throws {
        let root = try await server.connect()
        for statement in script { try await root.run(statement) }
    }
}

/// The fault that work throws; nil if it throws none.
func fault(_ work: () async throws -> Void) async -> PortFault? {
    do {
        try await work()
        return nil
    } catch { return error as? PortFault }
}
