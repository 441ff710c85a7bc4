import Foundation
import Model
import Pipeline
import PostgreSQL
import Servers
import Testing

@Suite("Row counts in PostgreSQL")
struct PostgreSQLCountTests {
    private static let kept = """
        SELECT sum(amount) FROM (SELECT relation, amount FROM farm_counts UNION ALL
            SELECT relation, amount FROM farm_count_changes) k WHERE relation = 'results'
        """
    private static let insert =
        "INSERT INTO results (image_id, service, data, status) SELECT 1, 'clip', '{}', 'success'"
    /// What an older farm's database has not.
    private static let older = """
        DROP TABLE farm_counts, farm_count_changes, farm_rates, farm_recounts, farm_progress;
        DROP FUNCTION farm_count_rows CASCADE; DROP FUNCTION farm_fold_counts;
        DELETE FROM farm_schema; INSERT INTO farm_schema VALUES (2, 1);
        """

    @Test("are right at every moment while others write, fold and recount at once", .timeLimit(.minutes(5)))
    func together() async throws {
        try await withDatabase { options in
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            _ = try await tool(options, Self.insert + " FROM generate_series(1, 10001)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...3 {
                    group.addTask {
                        for _ in 1...30 {
                            _ = try await tool(options, Self.insert + "; DELETE FROM results WHERE result_id = 0")
                        }
                    }
                }
                group.addTask { for _ in 1...30 { _ = try await tool(options, "SELECT farm_fold_counts()") } }
                group.addTask { for _ in 1...5 { try await store.recount() } }
                group.addTask {
                    for _ in 1...20 {
                        let wrong = try await tool(options, "SELECT (\(Self.kept)) - (SELECT count(*) FROM results)")
                        #expect(wrong == ["0"])
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.services().map(\.success) == [10_091])
            _ = try await tool(options, "SELECT farm_fold_counts()")
            #expect(try await tool(options, "SELECT count(*) FROM farm_count_changes") == ["0"])
            #expect(try await tool(options, "SELECT sum(done) FROM farm_rates") == ["10091"])
            await database.close()
        }
    }

    @Test("leave stricter transactions of other programs alone, and follow TRUNCATE and ROLLBACK")
    func otherPrograms() async throws {
        try await withDatabase { options in
            await (try await PostgreSQLDatabase.open(options)).close()
            _ = try await tool(
                options, "BEGIN ISOLATION LEVEL SERIALIZABLE; \(Self.insert); SELECT farm_fold_counts(); COMMIT")
            #expect(try await tool(options, "SELECT count(*) FROM farm_count_changes") == ["1"], "it was not folded")
            _ = try await tool(options, "BEGIN; \(Self.insert); SELECT farm_fold_counts(); ROLLBACK")
            #expect(try await tool(options, Self.kept) == ["1"])
            _ = try await tool(options, "SELECT farm_fold_counts(); \(Self.insert); TRUNCATE results")
            #expect(try await tool(options, Self.kept) == ["0"])
            _ = try await tool(options, "TRUNCATE results; \(Self.insert)")
            #expect(try await tool(options, Self.kept) == ["1"])
        }
    }

    @Test("of an older farm's database are made, also where an upgrade was stopped in between")
    func upgrade() async throws {
        try await withDatabase { options in
            await (try await PostgreSQLDatabase.open(options)).close()
            _ = try await tool(options, Self.older + Self.insert + " FROM generate_series(1, 10020)")
            let database = try await PostgreSQLDatabase.open(options)
            let done = try await database.prepare()
            #expect(done.contains("triggers that count results created"))
            #expect(done.contains("rows counted"))
            #expect(try await PostgreSQLStore(database).services().map(\.success) == [10_020])
            await database.close()

            // Stopped before the rows were counted, and before one table had its triggers; rows came in since.
            _ = try await tool(
                options,
                """
                DELETE FROM farm_recounts; DELETE FROM farm_counts; DELETE FROM farm_count_changes;
                DROP TRIGGER farm_count_insert ON images; INSERT INTO images (image_filename) VALUES ('a.jpg');
                DELETE FROM farm_schema; INSERT INTO farm_schema VALUES (2, 1); \(Self.insert)
                """)
            let again = try await PostgreSQLDatabase.open(options)
            let rest = try await again.prepare()
            #expect(rest == ["triggers that count images created", "rows counted"])
            #expect(try await PostgreSQLStore(again).services().map(\.success) == [10_021])
            #expect(try await again.prepare().isEmpty)
            await again.close()
        }
    }

    @Test("are made while others write: nobody waits for somebody's long transaction", .timeLimit(.minutes(5)))
    func liveUpgrade() async throws {
        try await withDatabase { options in
            await (try await PostgreSQLDatabase.open(options)).close()
            _ = try await tool(options, Self.older)
            _ = try await tool(options, "CREATE TABLE go ()")
            // It has written, and ends when it is told to.
            async let holder = tool(
                options,
                """
                BEGIN; \(Self.insert) FROM generate_series(1, 10100);
                DO $$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM go) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$; COMMIT
                """)
            while try await tool(
                options,
                "SELECT count(*) FROM pg_locks WHERE relation = 'results'::regclass AND mode = 'RowExclusiveLock'"
            ) == ["0"] {}
            async let opening = PostgreSQLDatabase.open(options)
            // The upgrade stands before its triggers on results, which come after those on images.
            while try await tool(options, "SELECT count(*) FROM pg_trigger WHERE tgname = 'farm_count_insert'") == ["0"]
            {}
            // For ever, if they waited for an upgrade that waits for the holder.
            for _ in 1...3 { _ = try await tool(options, "SET lock_timeout = '60s'; \(Self.insert)") }
            _ = try await tool(options, "INSERT INTO go DEFAULT VALUES")
            _ = try await holder
            let database = try await opening
            #expect(try await PostgreSQLStore(database).services().map(\.success) == [10_103])
            await database.close()
        }
    }

    @Test(
        "cost no look at every row: neither they nor what lacks answers read through results", .timeLimit(.minutes(5)))
    func noScans() async throws {
        try await withDatabase { options in
            await (try await PostgreSQLDatabase.open(options)).close()
            _ = try await tool(
                options,
                """
                INSERT INTO images (image_filename) SELECT n || '.jpg' FROM generate_series(1, 20000) n;
                INSERT INTO results (image_id, service, data, status, processing_time)
                SELECT n, s, '{}', CASE WHEN n % 50 = 0 THEN 'error' ELSE 'success' END, 0.5
                FROM generate_series(1, 20000) n, unnest(ARRAY['yolov8', 'blip', 'clip']) s;
                INSERT INTO merged_boxes (image_id, merged_data) SELECT n, '{}' FROM generate_series(1, 20000) n;
                INSERT INTO consensus (image_id, consensus_data) SELECT n, '{}' FROM generate_series(1, 20000) n;
                INSERT INTO postprocessing (image_id, service, data, status)
                SELECT n, 'x', '{}', 'success' FROM generate_series(1, 20000) n
                """)
            // Before the server has statistics, which its autovacuum makes within a minute, it may read a table as a whole.
            _ = try await tool(options, "VACUUM ANALYZE")
            let scans = """
                SELECT relname || ' ' || seq_tup_read FROM pg_stat_user_tables
                WHERE relname IN ('results', 'merged_boxes', 'consensus', 'postprocessing') ORDER BY 1
                """
            let before = try await tool(options, scans)
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            for _ in 1...6 {
                #expect(try await store.services().map(\.success) == [19_600, 19_600, 19_600])
                #expect(try await store.totals().results == 60_000)
                let lack = try await store.lack(of: ["blip", "clip"], in: nil, failed: false, limit: nil)
                #expect(lack == Lack(images: 400, jobs: 800))
            }
            await database.close()
            while try await tool(
                options,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(options.name)' AND pid <> pg_backend_pid()"
            ) != ["0"] {}
            let after = try await tool(options, scans)
            #expect(after == before)
        }
    }
}
