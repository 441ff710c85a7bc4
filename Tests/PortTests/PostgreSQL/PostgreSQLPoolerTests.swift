import Foundation
import Model
import Pipeline
@testable import PostgreSQL
import Servers
import Testing
import Waiting

@Suite("PostgreSQL through PgBouncer in transaction mode")
struct PostgreSQLPoolerTests {
    /// A database, and the ways to it: through the pooler as its owner, and without as the administrator.
    private func withPooledDatabase(
        _ test: (_ pooled: PostgreSQLOptions, _ direct: PostgreSQLOptions) async throws -> Void
    ) async throws {
        let server = try PostgreSQLServer.shared()
        let database = try await server.database()
        let pooled = try PgBouncerServer.shared().options(database)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await test(pooled, server.options(database.name))) } catch {
            outcome = .failure(error)
        }
        await server.remove(database)
        try outcome.get()
    }

    private func session(_ options: PostgreSQLOptions) -> PooledConnection {
        PooledConnection(Server(host: options.host, options: options))
    }

    @Test("is known for what it is, and so is a server without it")
    func detection() async throws {
        try await withPooledDatabase { pooled, direct in
            for (options, isPooled) in [(pooled, true), (direct, false)] {
                let session = session(options)
                let found = try await session.run { link in link.isPooled }
                #expect(found == isPooled)
                await session.close()
            }
        }
    }

    @Test("leaves nothing of farm's in the sessions of other programs, but has its own limits in its own transactions")
    func sessions() async throws {
        try await withPooledDatabase { pooled, _ in
            let database = try await PostgreSQLDatabase.open(pooled)
            let store = PostgreSQLStore(database)
            let images = try await store.add((0..<5).map { NewImage(path: "/\($0)") }, move: false).ids
            for _ in 0..<5 { try await store.record(images.map { .of($0, "yolov8") }) }
            _ = try await store.updateBoxes(of: images, from: ["yolov8"], workerID: "m") { _, _ in
                BoxChanges(inserted: [.of("cat")])
            }
            try await store.updateConsensus(of: images) { _ in ConsensusRecord(data: .null, processingTime: 1) }
            let other = session(pooled)
            let traces = """
                SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'),
                    current_setting('idle_in_transaction_session_timeout'), current_setting('jit'),
                    coalesce(nullif(current_setting('farm.voting', true), ''), '-'),
                    (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
                """
            for _ in 0..<10 {
                let found = try await other.run { link in try link.execute(traces)?.first?.text(0) }
                #expect(found == "0 0 0 on - 0 0")
            }
            let limits = "SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'))"
            let own = try await other.run { link in
                [try link.run([Statement(limits)])[0].first?.text(0)]
                    + (try link.transaction(.current, [Statement("SELECT 1"), Statement(limits)]).map {
                        $0.first?.text(0)
                    })
            }
            #expect(own == ["1min 30s", "1", "1min 30s"])
            await other.close()
            await database.close()
        }
    }

    @Test(
        "brings an older program's tables up to date, rows and all, by several boxes at once", .timeLimit(.minutes(5)))
    func together() async throws {
        try await withPooledDatabase { pooled, direct in
            _ = try await tool(
                direct,
                "SET ROLE \(pooled.user); " + PostgreSQLTakeoverTests.guide + PostgreSQLTakeoverTests.rows)
            let done = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let database = try await PostgreSQLDatabase.open(pooled)
                        let done = try await database.prepare()
                        await database.close()
                        return done
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(done.filter { $0 == "index farm_results_newest created" }.count == 1)
            #expect(try await tool(direct, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == ["0"])
        }
    }

    @Test("an upgrade waits for another machine's, and says once for whom", arguments: [true, false])
    func lock(_ isPooled: Bool) async throws {
        try await withPooledDatabase { pooled, direct in
            let options = isPooled ? pooled : direct
            var theirs = options
            theirs.applicationName = "farm on another machine"
            let holder = session(theirs)
            let other = try await holder.runInTransaction(UpgradeLock.take)
            #expect(other?.who == nil, "it is free")
            let record = LogRecord()
            let opening = Task { try await PostgreSQLDatabase(options, time: SystemTime(), log: record.logger) }
            try await said(record, "waits for farm on another machine")
            try await holder.run(UpgradeLock.release)
            let database = try await opening.value
            #expect(record.count("waits for") == 1)
            #expect(try await PostgreSQLStore(database).totals().images == 0)
            await database.close()
            let lost = await #expect(throws: PostgreSQLFault.self) {
                try await holder.runInTransaction { link in try UpgradeLock.confirm(link) }
            }
            #expect(lost?.isLost == true)
            await holder.close()
        }
    }

    @Test(
        "an upgrade that an old transaction holds up says whose it is", .timeLimit(.minutes(5)),
        arguments: [true, false])
    func oldTransaction(_ isPooled: Bool) async throws {
        try await withPooledDatabase { pooled, direct in
            _ = try await tool(
                direct, "SET ROLE \(pooled.user); " + PostgreSQLTakeoverTests.guide + PostgreSQLTakeoverTests.rows)
            var theirs = direct
            theirs.applicationName = "a long report"
            let reader = session(theirs)
            try await reader.runInTransaction { link in
                _ = try link.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM images")
            }
            let record = LogRecord()
            let options = isPooled ? pooled : direct
            let opening = Task { try await PostgreSQLDatabase(options, time: SystemTime(), log: record.logger) }
            try await said(record, "waits for a long report")
            try await reader.run { _ = try $0.execute("COMMIT") }
            await (try await opening.value).close()
            #expect(try await tool(direct, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == ["0"])
            await reader.close()
        }
    }

    @Test("farm check tells its mode, and statement mode is refused in the pooler's words", .timeLimit(.minutes(5)))
    func modes() async throws {
        try await withPooledDatabase { pooled, _ in
            await (try await PostgreSQLDatabase.open(pooled)).close()
            let pooler = try await PgBouncerServer.started()
            var options = pooled
            options.port = pooler.port
            let transaction = await PostgreSQLProbe(options).findings()
            #expect(transaction.map(\.grade) == [.ok], "\(transaction)")
            #expect(transaction.first?.message.contains("through a pooler in transaction mode") == true)
            try await pooler.restart(mode: "session")
            let session = await PostgreSQLProbe(options).findings()
            #expect(session.map(\.grade) == [.ok], "\(session)")
            #expect(session.first?.message.contains("through a pooler that keeps sessions") == true)
            try await pooler.restart(mode: "statement")
            let statement = await PostgreSQLProbe(options).findings()
            #expect(statement.map(\.grade) == [.failed], "\(statement)")
            #expect(statement.first?.message.contains("needs pool_mode transaction or session") == true, "\(statement)")
            await pooler.remove()
        }
    }

    private func said(_ record: LogRecord, _ part: String) async throws {
        // A log has no event to wait for; what never comes fails the test instead of holding it.
        let end = ContinuousClock.now + .seconds(120)
        while record.count(part) == 0, .now < end { try await Task.sleep(for: .milliseconds(20)) }
        #expect(record.count(part) > 0, "the log does not say: \(part)")
    }
}
