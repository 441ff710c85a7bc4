@testable import Embedded
import Foundation
import GRDB
import Model
import Pipeline
import Testing

@Suite("What operators have set, in the file")
struct EmbeddedControlTests {
    @Test("has its tables in an older farm's file too, whose workers go on")
    func upgrade() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        await (try await EmbeddedDatabase.open(folder.database)).close()
        let older = """
            INSERT INTO farm_workers (run, queue, worker_id, service, host, state, silence, started, seen)
            VALUES (lower(hex(randomblob(16))), 'queue_clip', 'old', 'clip', 'k1', 'working', 999999999, '2026-01-02 03:04:05.678',
                strftime('%Y-%m-%d %H:%M:%f', 'now'));
            """
        try await tool(folder.database).write { database in
            try database.execute(
                sql: """
                    DROP TABLE farm_control; DROP TABLE farm_tokens; DROP TABLE farm_audit;
                    ALTER TABLE farm_workers DROP COLUMN revision;
                    DELETE FROM farm_schema; INSERT INTO farm_schema VALUES (5, 1, '2026-01-02 03:04:05.678');
                    \(older)
                    """)
        }
        let database = try await EmbeddedDatabase.open(folder.database)
        let done = try await database.prepare()
        #expect(done.contains("table farm_control created") && done.contains("column farm_workers.revision added"))
        let store = EmbeddedStore(database)
        #expect(try await store.control().controls.isEmpty)
        try await tool(folder.database).write { try $0.execute(sql: older) }
        #expect(try await store.liveWorkers().map(\.revision) == [nil, nil])
        await database.close()
    }

    @Test("that another tool has written and that means nothing is as if it were not set")
    func malformed() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        try await tool(folder.database).write { database in
            try database.execute(
                sql: """
                    INSERT INTO farm_control (service, paused, rate_limit, concurrency, until, reason, set_by, set_at, revision)
                    VALUES ('clip', 'yes', 'fast', x'ff', 'soon', x'ff', 7, 'never', 'third');
                    INSERT INTO farm_tokens VALUES ('clip', 'many', 'now')
                    """)
        }
        let store = EmbeddedStore(database)
        let clip = try await store.control()["clip"]
        #expect(!clip.isPaused && clip.rateLimit == nil && clip.concurrency == nil && clip.until == nil)
        #expect(try await store.leaseTokens(1, returning: 0, of: "clip") == .unlimited)
        await database.close()
    }
}
