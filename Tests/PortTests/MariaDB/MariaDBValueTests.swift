import Doubles
import Foundation
import MariaDB
import Model
import Pipeline
import Servers
import Testing

@Suite("MariaDB: what is written and read")
struct MariaDBValueTests {
    @Test("times are the database's, whatever its time zone")
    func clock() async throws {
        let (server, database, root) = try await place()
        #expect(try await root.value("SELECT TIMESTAMPDIFF(MINUTE, UTC_TIMESTAMP(), NOW())") == "330")
        let time = ManualTime(Date(timeIntervalSince1970: 1_000_000_000))
        let store = MariaDBHeartbeats(server.options(database), time: time, log: quiet)
        var beat = Heartbeat.of("w1")
        beat.lastJobTime = time.now().addingTimeInterval(-90)
        try await store.record(beat)
        let age = try await root.value("SELECT TIMESTAMPDIFF(SECOND, timestamp, NOW()) FROM worker_heartbeats")
        #expect(try #require(Int(age)) < 60)
        #expect(
            try await root.value("SELECT TIMESTAMPDIFF(SECOND, last_job_time, timestamp) FROM worker_heartbeats")
                == "90")
        let update = try #require(try await store.report(MonitorWindows()).performance.first?.lastUpdate)
        let truth = try await root.value("SELECT UNIX_TIMESTAMP(timestamp) FROM worker_heartbeats")
        #expect(update == Date(timeIntervalSince1970: try #require(Double(truth))))
        await store.close()
    }

    @Test("the guide's two queries show a killed worker, and a live idle one not as dead")
    func guide() async throws {
        let (server, database, root) = try await place()
        try await root.insert(.of("killed", completed: 5), age: .seconds(700))
        try await root.insert(.of("idle", "ocr"), age: .seconds(700))
        let store = MariaDBHeartbeats(server.options(database))
        try await store.record(.of("idle", "ocr"))
        let dead = try await root.run(
            """
            SELECT worker_id, service_name, node_hostname,
                   MAX(timestamp) as last_seen,
                   TIMESTAMPDIFF(MINUTE, MAX(timestamp), NOW()) as minutes_silent
            FROM worker_heartbeats
            GROUP BY worker_id
            HAVING minutes_silent > 5
            """)
        #expect(dead.map(\.first) == ["killed"])
        #expect(dead.first?.last == "11")
        let live = try await root.run(
            """
            SELECT service_name,
                   AVG(jobs_per_minute) as avg_rate,
                   COUNT(DISTINCT worker_id) as active_workers
            FROM worker_heartbeats
            WHERE timestamp > DATE_SUB(NOW(), INTERVAL 10 MINUTE)
            GROUP BY service_name
            """)
        #expect(live == [["ocr", "0", "1"]])
        #expect(try await store.report(MonitorWindows()).deadWorkers.map(\.workerID) == ["killed"])
        await store.close()
    }

    @Test("what no column holds is cut or left out, and a table in latin1 gets a question mark")
    func odd() async throws {
        let (server, database, root) = try await place()
        // By itself MariaDB 10 makes a table in latin1, 11.8 in utf8mb4.
        try await root.run("ALTER TABLE worker_heartbeats CONVERT TO CHARACTER SET latin1")
        #expect(
            try await root.value(
                "SELECT character_set_name FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'worker_id'"
            ) == "latin1")
        let store = MariaDBHeartbeats(server.options(database))
        var beat = Heartbeat.of(
            "wörker😀", completed: .max, rate: .infinity, error: String(repeating: "漢", count: 100_000) + "\0")
        beat.queueDepth = .min
        beat.lastJobTime = .distantPast
        try await store.record(beat)
        beat.jobsPerMinute = .nan
        beat.lastJobTime = .distantFuture
        try await store.record(beat)
        let rows = try await root.run(
            "SELECT worker_id, jobs_completed, jobs_per_minute, queue_depth, CHAR_LENGTH(error_message) FROM worker_heartbeats"
        )
        #expect(rows == Array(repeating: ["w?rker?", "2147483647", "", "-2147483648", "16000"], count: 2))
        #expect(try await store.report(MonitorWindows()).nodes.map(\.workers) == [1])
        await store.close()
    }

    @Test("numbers come back as they were written")
    func numbers() async throws {
        let (server, database, _) = try await place()
        let store = MariaDBHeartbeats(server.options(database))
        try await store.record(.of("w1", rate: 0.1))
        try await store.record(.of("w2", "ocr", rate: 123_456.5))
        let rates = try await store.report(MonitorWindows()).performance.map(\.jobsPerMinute)
        #expect(abs(try #require(rates.first) - 0.1) < 1e-6)
        #expect(abs(try #require(rates.last) - 123_456.5) < 1)
        await store.close()
    }

    @Test("rows without service, host, status or counts are read, those without worker or time left out")
    func sparse() async throws {
        let (server, database, root) = try await place()
        try await root.run("INSERT INTO worker_heartbeats (worker_id) VALUES ('bare'), (NULL)")
        let store = MariaDBHeartbeats(server.options(database))
        let report = try await store.report(MonitorWindows())
        #expect(report.nodes == [NodeReport(nodeHostname: "", workers: 1, services: [""])])
        await store.close()
    }

    @Test("a report reads no more than its windows need")
    func plan() async throws {
        let (server, database, root) = try await place()
        try await root.run(
            """
            INSERT INTO worker_heartbeats (timestamp, worker_id, service_name, node_hostname, status)
            SELECT NOW() - INTERVAL 2 DAY - INTERVAL seq MINUTE, CONCAT('w', seq % 50), CONCAT('s', seq % 10), 'k1', 'alive'
            FROM seq_1_to_20000
            """)
        let store = MariaDBHeartbeats(server.options(database))
        try await store.record(.of("w1"))
        try await root.run("ANALYZE TABLE worker_heartbeats")
        let before = try await reads(root)
        #expect(try await store.report(MonitorWindows()).nodes.map(\.workers) == [1])
        await store.close()
        #expect(try await reads(root) - before < 1000)
        await server.remove(database)
    }

    // MARK: Parts

    /// Rows of all tables that were read so far: this test's are the only ones that may be many.
    private func reads(_ root: MariaDBTool) async throws -> Int {
        let rows = try await root.run(
            """
            SELECT SUM(rows_read) FROM information_schema.table_statistics
            WHERE table_schema = DATABASE() AND table_name = 'worker_heartbeats'
            """)
        return Int(rows.first?.first ?? "") ?? 0
    }

    private func place() async throws -> (MariaDBServer, MariaDBServer.Database, MariaDBTool) {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        return (server, database, try await server.connect(database))
    }
}
