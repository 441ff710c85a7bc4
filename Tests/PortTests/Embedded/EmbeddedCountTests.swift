@testable import Embedded
import Foundation
import GRDB
import Model
import Pipeline
import Testing

@Suite("Row counts in the file")
struct EmbeddedCountTests {
    private static let insert = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10020)
        INSERT INTO results (image_id, service, data, status) SELECT 1, 'clip', '{}', 'success' FROM n;
        """

    @Test("of an older farm's file are made when it is opened, also where that was stopped in between")
    func upgrade() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        await (try await EmbeddedDatabase.open(folder.database)).close()
        try await tool(folder.database).write { database in
            for trigger in try String.fetchAll(
                database, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'farm_count_%'")
            { try database.execute(sql: "DROP TRIGGER \(trigger)") }
            try database.execute(
                sql: """
                    DROP TABLE farm_counts; DROP TABLE farm_rates; DROP TABLE farm_recounts; DROP TABLE farm_progress;
                    DELETE FROM farm_schema; INSERT INTO farm_schema VALUES (4, 1, '2026-01-02 03:04:05.678');
                    \(Self.insert)
                    """)
        }
        try await expectCounts(10_020, in: folder)

        // Stopped when the triggers were there and nothing was counted yet; rows came in since.
        try await tool(folder.database).write {
            try $0.execute(
                sql: """
                    DELETE FROM farm_recounts; DELETE FROM farm_counts;
                    INSERT INTO results (image_id, service, data, status) VALUES (1, 'clip', '{}', 'success')
                    """)
        }
        try await expectCounts(10_021, in: folder)
    }

    private func expectCounts(_ count: Int, in folder: Folder) async throws {
        let database = try await EmbeddedDatabase.open(folder.database)
        #expect(try await EmbeddedStore(database).services().map(\.success) == [count])
        #expect(try await EmbeddedStore(database).totals().results == count)
        await database.close()
    }

    @Test("that nobody has made yet are counted")
    func uncounted() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        try await tool(folder.database).write {
            try $0.execute(sql: Self.insert + "DELETE FROM farm_recounts; DELETE FROM farm_counts")
        }
        #expect(try await EmbeddedStore(database).services().map(\.success) == [10_020])
        #expect(try await EmbeddedStore(database).totals().results == 10_020)
        await database.close()
    }

    @Test("two processes that count at once put nothing right twice")
    func together() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let (first, second) = (
            try await EmbeddedDatabase.open(folder.database), try await EmbeddedDatabase.open(folder.database)
        )
        try await tool(folder.database).write {
            try $0.execute(sql: Self.insert + "UPDATE farm_counts SET amount = amount - 7")
        }
        async let one: Void = EmbeddedStore(first).recount()
        async let other: Void = EmbeddedStore(second).recount()
        _ = try await (one, other)
        #expect(try await EmbeddedStore(first).services().map(\.success) == [10_020])
        await first.close()
        await second.close()
    }

    @Test("are looked up: no look goes through a whole table")
    func plans() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        try await tool(folder.database).write { try $0.execute(sql: Self.insert) }
        let plans = try await database.file.read { database in
            try [
                "SELECT min(service) FROM results WHERE 1 AND service > 'a'",
                "SELECT min(status) FROM results WHERE service = 'a' AND status > 'a'",
                "SELECT max(result_created) FROM results WHERE service = 'a' AND status = 'b'",
                "SELECT max(result_created) FROM results WHERE service = 'a' AND status IS NULL",
                "SELECT count(*) FROM (SELECT 1 FROM results WHERE service = 'a' AND status = 'b' LIMIT 10001)",
                "SELECT service, minute, done, errors FROM farm_rates WHERE minute BETWEEN 1 AND 2 ORDER BY minute DESC",
                "SELECT min(due_at) FROM farm_queue WHERE queue = 'q' AND holder IS NULL AND delayed = 0",
            ].flatMap { sql in
                try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(sql)").compactMap { $0["detail"] as String? }
                    .filter { $0.hasPrefix("SCAN") && !$0.contains("subquery") }.map { "\($0): \(sql)" }
            }
        }
        #expect(plans.isEmpty)
        await database.close()
    }
}

@Suite("The oldest message")
struct OldestMessageTests {
    @Test("is told by its age, in the order of the queues; of an empty queue there is none")
    func oldest() async throws {
        let processes = try EmbeddedProcesses()
        let connection = try await processes.connect()
        try await connection.queue.publish(["1"], to: "a")
        await processes.advance(.seconds(30))
        try await connection.queue.publish(["2"], to: "a")
        try await connection.queue.publish(["3"], to: "b")
        #expect(try await connection.queue.oldestAges(of: ["b", "none", "a"]) == [0, nil, 30])
        let consumer = try await connection.queue.consume("a", prefetch: 1)
        _ = try await consumer.next(upTo: 1)
        #expect(try await connection.queue.oldestAges(of: ["a"]) == [0], "who is taken does not wait")
        await consumer.close()
        #expect(try await connection.queue.oldestAges(of: ["a"]) == [30], "who was given back has waited since")
        await connection.close()
        await processes.close()
    }
}
