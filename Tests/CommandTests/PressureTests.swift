import Foundation
import Model
import Testing

@Suite("Pressure", .serialized)
struct PressureTests {
    @Test("10,000 messages that are no jobs go to the dead queue while the good ones between them pass")
    func poison() async throws {
        let scene = try await Scene(["clip"], photos: 200)
        let work = scene.workplace
        try await scene.produce()
        _ = try await work.rows(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
            INSERT INTO farm_queue (queue, body, due_at)
            SELECT 'queue_clip', CAST(CASE i % 3 WHEN 0 THEN 'no JSON ' || i WHEN 1 THEN '{"image": ' || i || '}'
                ELSE '{"image_id": ' || (1000000 + i) || '}' END AS BLOB), CASE WHEN i <= 5000 THEN 0 ELSE 9000000000000 END FROM n
            """)
        let begun = ContinuousClock.now
        let up = try await scene.upUntilIdle()
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        print("10,000 bad messages and 200 jobs: \(Int(10_200 / seconds)) a second")
        #expect(up.status == 0, "\(up.error.suffix(2000))")
        #expect(try await work.count("SELECT count(*) FROM results WHERE status = 'success'") == 200)
        #expect(
            try await work.rows("SELECT reason, count(*) FROM farm_dead GROUP BY 1 ORDER BY 1")
                == ["bad_message|6667", "unknown_image|3333"])
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        #expect(
            try await work.count(
                "SELECT (SELECT max(result_created) FROM results) < (SELECT max(dead_since) FROM farm_dead)") == 1)
        try await scene.doubles.stop()
    }

    @Test("10,000 messages that are no jobs in a queue of RabbitMQ, too")
    func poisonedBroker() async throws {
        let site = try await Site()
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        try site.write(work)
        let neighbour = Neighbour(workplace: work)
        try work.photos((1...100).map { "photos/\($0).jpg" })
        #expect(try await work.farm("import", "photos").status == 0)
        let bad = (1...10_000).map {
            (queue: "queue_clip", body: $0 % 2 == 0 ? "no JSON \($0)" : "{\"image_id\": \(1_000_000 + $0)}")
        }
        try await neighbour.publish(Array(bad.prefix(5000)))
        #expect(try await work.farm("produce").status == 0)
        try await neighbour.publish(Array(bad.dropFirst(5000)))
        let begun = ContinuousClock.now
        let up = try await work.farm("up", "--until-idle")
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        print("10,000 bad messages and 100 jobs on RabbitMQ: \(Int(10_100 / seconds)) a second")
        #expect(up.status == 0, "\(up.error.suffix(2000))")
        #expect(try await site.query("SELECT count(*) FROM results WHERE status = 'success'") == [["100"]])
        let status = try await work.farm("status", "--json").json()
        let queue = status["queues"]?.arrayValue?.first { $0["queue"]?.stringValue == "queue_clip" }
        #expect(queue?["waiting"]?.integerValue == 0)
        #expect(queue?["dead"]?.integerValue == 10_000)
        let letters = try await work.farm("dead", "list", "--queue", "queue_clip", "--json").json().arrayValue ?? []
        let buried = letters.compactMap { $0["dead_since"]?.stringValue.flatMap(Timestamp.date) }
        let stored = try await site.query("SELECT extract(epoch FROM max(result_created)) FROM results")
        let last = try #require(stored.first?.first.flatMap { Double($0) })
        #expect(buried.count == 10_000)
        #expect(try #require(buried.max()).timeIntervalSince1970 > last, "the good ones pass before the last bad one")
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("a service that does not answer does not hold up the others")
    func slowService() async throws {
        let photos = 40
        let workplace = try Workplace()
        try workplace.write("gate", "")
        let slow = try await ServiceDoubles.start(["clip"], gate: "gate", in: workplace)
        let others = try await ServiceDoubles.start(
            ["yolov8", "rtdetr", "metadata", "colors", "face", "pose"], in: workplace)
        try workplace.configure(slow.ports + others.ports)
        try workplace.photos((1...photos).map { "photos/\($0).jpg" })
        #expect(try await workplace.farm("import", "photos").status == 0)
        #expect(try await workplace.farm("produce").status == 0)
        let up = try workplace.start(["up"], environment: ["REQUEST_TIMEOUT": "90", "RETRY_DELAY": "0"])
        try await eventually("all that the others do is done") {
            try await workplace.rows(
                """
                SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM postprocessing),
                    (SELECT count(*) FROM farm_queue WHERE queue <> 'queue_clip'), (SELECT count(*) FROM farm_stale)
                """) == ["\(photos * 4)|\(photos * 4)|0|0"]
        }
        #expect(try await slow.calls(of: "clip").begun > 0)
        #expect(try await workplace.count("SELECT count(*) FROM results WHERE service = 'clip'") == 0)
        try FileManager.default.removeItem(atPath: workplace.path("gate"))
        try await eventually("then it is done, too") {
            try await workplace.count("SELECT count(*) FROM results WHERE service = 'clip'") == photos
        }
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        try await slow.stop()
        try await others.stop()
    }

    /// FARM_WAITING=1000000 makes it a million.
    @Test(
        "how many jobs wait does not change the memory that the next ones take, and all are purged; the times are told",
        arguments: [false, true])
    func manyWaiting(onServers: Bool) async throws {
        let many =
            ProcessInfo.processInfo.environment["FARM_WAITING"].flatMap { Int($0) } ?? (onServers ? 20_000 : 200_000)
        let few = try await PressureTests.work(through: 1000, of: 1100, onServers)
        let all = try await PressureTests.work(through: 1000, of: many, onServers)
        print(
            """
            \(onServers ? "servers" : "embedded"): 1,000 jobs taken, called and stored: of 1,100 in \(few.seconds) s \
            with \(few.megabytes) MB, of \(many) in \(all.seconds) s with \(all.megabytes) MB; the rest purged in \
            \(all.purge) s
            """)
        #expect(all.megabytes < few.megabytes + 32)
    }

    private struct Figures {
        var seconds = 0.0
        var megabytes = 0
        /// Seconds.
        var purge = 0.0
    }

    private static func work(through done: Int, of waiting: Int, _ onServers: Bool) async throws -> Figures {
        let scene = try await Scene(["clip"], photos: 1)
        let work = scene.workplace
        let site = onServers ? try await Site() : nil
        try site?.write(work)
        #expect(try await work.farm("init").status == 0)
        if let site {
            // One photo under more names than are taken, then photos that are not there: an index of as many equal paths is slow.
            try await site.query(
                """
                INSERT INTO images (image_filename, image_path, image_group)
                SELECT i || '.jpg', '\(work.path("photos/"))' || CASE WHEN i <= 3000 THEN 1 ELSE i END || '.jpg', 'many'
                FROM generate_series(1, \(waiting)) AS n(i)
                """)
            #expect(try await work.farm("produce", "--group", "many", "--services", "clip").status == 0)
        } else {
            try await fill(work, waiting)
        }
        var figures = Figures()
        let begun = ContinuousClock.now
        let worker = try work.start(["work", "clip"])
        func rows() async throws -> Int {
            guard let site else { return try await work.count("SELECT count(*) FROM results") }
            return try #require(try await site.query("SELECT count(*) FROM results").first?.first.flatMap { Int($0) })
        }
        try await eventually("\(done) rows of \(waiting) jobs") { try await rows() >= done }
        figures.seconds = PressureTests.seconds(since: begun)
        let status = try String(contentsOfFile: "/proc/\(worker.pid)/status", encoding: .utf8)
        let peak = try #require(status.firstMatch(of: #/VmHWM:\s+(\d+) kB/#).flatMap { Int($0.1) })
        figures.megabytes = peak / 1024
        worker.signal(SIGTERM)
        #expect(try await worker.finished().status == 0)

        let purging = ContinuousClock.now
        let purge = try await work.farm("purge", "--service", "clip", "--yes", "--json")
        figures.purge = PressureTests.seconds(since: purging)
        #expect(purge.status == 0, "\(purge.error)")
        let left = waiting - (try await rows())
        #expect(try purge.json()["jobs"]?.integerValue == left)
        try await scene.doubles.stop()
        await site?.remove()
        return figures
    }

    private static func seconds(since begun: ContinuousClock.Instant) -> Double {
        (((ContinuousClock.now - begun) / .seconds(1)) * 100).rounded() / 100
    }

    private static func fill(_ work: Workplace, _ waiting: Int) async throws {
        _ = try await work.rows(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(waiting))
            INSERT INTO farm_queue (queue, body, due_at)
            SELECT 'queue_clip', CAST(json_object('image_id', 1, 'image_filename', '1.jpg', 'image_path',
                (SELECT image_path FROM images), 'submitted_at', i, 'service_name', 'clip', 'queue_name', 'queue_clip')
                AS BLOB), i
            FROM n
            """)
    }
}
