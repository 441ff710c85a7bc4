import Foundation
import Model
import Testing

@Suite("Other programs on the same servers")
struct NeighbourTests {
    private static let services = ["yolov8", "rtdetr", "clip", "colors", "face", "pose"]

    /// A workplace whose servers another program shares.
    private struct Shared {
        let site: Site
        let scene: Scene
        let neighbour: Neighbour
        var workplace: Workplace { scene.workplace }

        init(gate: Bool = false) async throws {
            site = try await Site()
            scene = try await Scene(NeighbourTests.services, photos: 0, gate: gate)
            neighbour = Neighbour(workplace: scene.workplace)
            // To the other program's driver "localhost" is a Unix socket.
            try site.write(
                scene.workplace, other: Scene.impatient.merging(["MONITORING_DB_HOST": "127.0.0.1"]) { $1 })
        }

        func photos(_ count: Int) throws -> [String] {
            let names = (1...count).map { "photos/\($0).jpg" }
            try workplace.photos(names)
            return names
        }

        /// The guide's tables and photos, both by the other program.
        func tables(photos count: Int) async throws {
            let images = try photos(count).map { "('\($0.dropFirst(7))', '\(workplace.path($0))')" }
            try await neighbour.run(
                sql: Guide.tables
                    + "INSERT INTO images (image_filename, image_path) VALUES \(images.joined(separator: ", "))")
        }

        func count(_ sql: String) async throws -> Int {
            try #require(try await site.query(sql).first?.first.flatMap { Int($0) })
        }

        func end() async throws {
            try await scene.doubles.stop()
            await site.remove()
        }
    }

    @Test("jobs and triggers as another program writes them are done, each once; what is no job is kept as it came")
    func publishing() async throws {
        let shared = try await Shared()
        try await shared.tables(photos: 4)
        let path = shared.workplace.path("photos")
        /// In another order, without job_id, with fields that farm does not know.
        func job(_ image: Int, _ service: String, at second: Int) -> (queue: String, body: String) {
            (
                "queue_\(service)",
                """
                {"service_name": "\(service)", "tags": ["a", {"b": null}], "submitted_at": "2026-11-25T10:00:0\(second).123456", \
                "image_url": null, "image_path": "\(path)/\(image).jpg", "queue_name": "queue_\(service)", "priority": 5, \
                "image_filename": "\(image).jpg", "image_id": \(image)}
                """
            )
        }
        let twice = job(1, "clip", at: 1)
        let noJobs = ["no JSON", #"{"image_id": "seven"}"#, #"{"image_id": 999999, "kept": [1]}"#]
        // They wait before farm is there at all.
        try await shared.neighbour.publish(
            [twice, twice, job(2, "clip", at: 1), job(2, "clip", at: 2), ("queue_clip", #"{"image_id": 3}"#)]
                + noJobs.map { ("queue_clip", $0) } + [job(1, "yolov8", at: 1), job(1, "colors", at: 1)])
        let up = try shared.workplace.start(["up"])
        let done = "SELECT count(*) FROM results"
        try await eventually("the waiting jobs are done") { try await shared.count(done) == 6 }
        try await shared.neighbour.publish([job(4, "clip", at: 1), job(4, "rtdetr", at: 1)])
        try await eventually("those that came later, too") { try await shared.count(done) == 8 }

        // Rows of its own, and the triggers that it sends after them.
        let box = #"{"label": "cat", "confidence": 0.95, "bbox": {"x": 1, "y": 2, "width": 30, "height": 40}}"#
        try await shared.neighbour.run(
            sql: """
                INSERT INTO results (image_id, service, data, status, worker_id) VALUES
                (3, 'inception_v3', '{"predictions": [{"emoji": "🐶"}]}', 'success', 'older'),
                (4, 'yolov8', '{"predictions": [\(box)]}', 'success', 'older')
                """)
        func trigger(_ image: Int, _ service: String) -> String {
            """
            {"image_id": \(image), "image_filename": "\(image).jpg", "service": "\(service)", "worker_id": "older", \
            "processed_at": "2026-11-25T10:00:00.123456"}
            """
        }
        try await shared.neighbour.publish(
            [
                ("queue_consensus", trigger(3, "inception_v3")), ("queue_bbox_merge", trigger(4, "yolov8")),
                ("queue_consensus", "{}"),
            ])
        try await eventually("the votes count its rows") {
            let named = "consensus_data->'services_list' ?& array['clip', 'inception_v3']"
            return try await shared.count("SELECT count(*) FROM consensus WHERE image_id = 3 AND \(named)") == 1
        }
        try await eventually("its box is fused, cut out and asked about") {
            let cat = "SELECT merged_id FROM merged_boxes WHERE image_id = 4 AND merged_data->>'label' = 'cat'"
            return try await shared.count("SELECT count(*) FROM postprocessing WHERE merged_box_id IN (\(cat))") == 1
        }
        try await eventually("nothing is stale") { try await shared.count("SELECT count(*) FROM farm_stale") == 0 }
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)

        let pairs = "SELECT image_id, count(*), count(DISTINCT job_id) FROM results WHERE service = 'clip'"
        #expect(
            try await shared.site.query(pairs + " GROUP BY 1 ORDER BY 1") == [
                ["1", "1", "1"], ["2", "2", "2"], ["3", "1", "1"], ["4", "1", "1"],
            ])
        #expect(try await shared.count("SELECT count(*) FROM results") == 10)
        let dead = try await shared.neighbour.take(from: "queue_clip.dead")
        #expect(Set(dead.compactMap { $0["body"]?.stringValue }) == Set(noJobs))
        #expect(
            dead.compactMap { $0["headers"]?["x-farm-reason"]?.stringValue }.sorted() == [
                "bad_message", "bad_message", "unknown_image",
            ])
        #expect(try await shared.neighbour.take(from: "queue_consensus.dead").count == 1)
        try await checkReading(shared)
        try await shared.end()
    }

    @Test("a message that goes to further queues, too, is buried in its own alone, and holds up nobody")
    func furtherQueues() async throws {
        let shared = try await Shared()
        try await shared.tables(photos: 1)
        try await shared.neighbour.share("no JSON", queue: "queue_clip", other: "elsewhere")
        try await shared.neighbour.publish([("queue_clip", #"{"image_id": 1}"#)])
        #expect(try await shared.workplace.farm("up", "--until-idle").status == 0)
        #expect(try await shared.count("SELECT count(*) FROM results WHERE status = 'success'") == 1)
        #expect(try await shared.workplace.farm("dead", "requeue").status == 0)
        #expect(try await shared.workplace.farm("up", "--until-idle").status == 0)
        let dead = try await shared.neighbour.take(from: "queue_clip.dead")
        #expect(dead.map { $0["body"]?.stringValue } == ["no JSON"])
        #expect(try await shared.neighbour.take(from: "elsewhere").count == 1, "of its sender's")
        try await shared.end()
    }

    /// What programs that read the tables get, by their drivers.
    private func checkReading(_ shared: Shared) async throws {
        let found = try await shared.neighbour.read()
        func types(_ table: String) -> [String: String] {
            let types = found[table]?["types"]?.objectValue ?? []
            return Dictionary(uniqueKeysWithValues: types.map { ($0.key, $0.value.stringValue ?? "") })
        }
        #expect(found["images"]?["rows"]?.integerValue == 4)
        #expect(
            types("results") == [
                "image_id": "int", "service": "str", "data": "dict", "status": "str", "processing_time": "float",
                "result_created": "datetime", "worker_id": "str",
            ])
        #expect(
            types("merged_boxes") == [
                "image_id": "int", "source_result_ids": "list", "merged_data": "dict", "status": "str",
                "created": "datetime", "worker_id": "str",
            ])
        #expect(
            types("consensus") == [
                "image_id": "int", "consensus_data": "dict", "processing_time": "float",
                "consensus_created": "datetime",
            ])
        #expect(
            types("postprocessing") == [
                "image_id": "int", "merged_box_id": "int", "service": "str", "data": "dict", "status": "str",
                "result_created": "datetime",
            ])
        let beats = types("worker_heartbeats")
        #expect(["timestamp", "last_job_time"].allSatisfy { beats[$0] == "datetime" })
        #expect(["worker_id", "service_name", "node_hostname", "status"].allSatisfy { beats[$0] == "str" })
        #expect(["jobs_completed", "queue_depth"].allSatisfy { beats[$0] == "int" })
        #expect(beats["jobs_per_minute"] == "float")
    }

    @Test("a worker of the older kind shares a queue with farm's; one that dies with a job in its hands loses none")
    func sharing() async throws {
        let shared = try await Shared(gate: true)
        let photos = 20
        _ = try shared.photos(photos)
        #expect(try await shared.workplace.farm("import", "photos").status == 0)
        #expect(try await shared.workplace.farm("produce").status == 0)

        let dying = try shared.neighbour.start("work", "clip", "--hold")
        try await eventually("it has a job") { dying.output.contains("holds one") || !dying.isRunning }
        try #require(dying.isRunning, "\(dying.error)")
        let up = try shared.workplace.start(["up"])
        try await eventually("farm has four") { try await shared.scene.doubles.calls(of: "clip").begun == 4 }
        let other = try shared.neighbour.start("work", "clip")
        let whose = "SELECT count(*) FROM results WHERE worker_id = 'neighbour'"
        try await eventually("the other worker does all that waits") { try await shared.count(whose) == photos - 5 }
        dying.signal(SIGKILL)
        _ = try await dying.finished()
        try await eventually("and what the dead one had") { try await shared.count(whose) == photos - 4 }
        try shared.scene.openGate()
        try await eventually("all is done") {
            try await shared.site.query(
                """
                SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM postprocessing),
                    (SELECT count(*) FROM farm_stale)
                """) == [["\(photos * 4)", "\(photos * 4)", "0"]]
        }
        other.signal(SIGTERM)
        #expect(try await other.finished().status == 0)
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)

        #expect(
            try await shared.count("SELECT count(*) FROM (SELECT DISTINCT image_id, service FROM results) p") == photos
                * 4)
        #expect(try await shared.count("SELECT count(*) FROM results WHERE job_id IS NULL") == photos - 4)
        #expect(try await shared.scene.doubles.calls(of: "clip").begun == 4)
        #expect(
            try await shared.site.query("SELECT DISTINCT consensus_data->>'services_list' FROM consensus") == [
                [#"["clip", "colors", "rtdetr", "yolov8"]"#]
            ])
        #expect(try await shared.count("SELECT count(*) FROM consensus") == photos)
        let status = try await shared.workplace.farm("status", "--json").json()
        let queues = try #require(status["queues"]?.arrayValue)
        #expect(queues.allSatisfy { $0["waiting"] == 0 && $0["dead"] == 0 }, "\(status.text)")
        try await shared.end()
    }

    @Test("tables with another program's rows and columns are taken over; nothing of it is lost")
    func takingOver() async throws {
        let shared = try await Shared()
        try await shared.tables(photos: 3)
        try await shared.neighbour.run(sql: Self.rows)
        let theirs = try await kept(shared)

        let first = try await shared.workplace.farm("init")
        #expect(first.status == 0, "\(first.error)")
        #expect(first.output.contains("column results.job_id added"))
        let second = try await shared.workplace.farm("init")
        #expect(second.output.split(separator: "\n").count == 1, "\(second.output)")
        #expect(try await kept(shared) == theirs)

        let resumed = try await shared.workplace.farm("produce", "--resume", "--json")
        // Image 1 has three of its four, image 2 an error.
        #expect(try resumed.json()["jobs"]?.integerValue == 1 + 4 + 4, "\(resumed.error)")
        let up = try await shared.workplace.farm("up", "--until-idle")
        #expect(up.status == 0, "\(up.error)")

        #expect(try await kept(shared) == theirs)
        #expect(try await shared.count("SELECT count(*) FROM results") == 6 + 9)
        #expect(
            try await shared.site.query(
                "SELECT image_id, count(*), min(consensus_data->>'services_count') FROM consensus GROUP BY 1 ORDER BY 1"
            )
                == [["1", "1", "5"], ["2", "1", "4"], ["3", "1", "4"]])
        #expect(
            try await shared.site.query(
                "SELECT merged_data->>'label', count(*) FROM merged_boxes WHERE image_id = 1 GROUP BY 1 ORDER BY 1")
                == [["dog", "1"], ["person", "1"]])
        #expect(
            try await shared.site.query(
                """
                SELECT service, count(*) FROM postprocessing WHERE image_id = 1 AND service <> 'spatial_enrichment'
                GROUP BY 1 ORDER BY 1
                """) == [["colors", "2"], ["face", "1"], ["pose", "1"]])
        #expect(
            try await shared.site.query("SELECT * FROM progress WHERE service = 'sentiment'") == [["sentiment", "1"]])
        let shown = try await shared.workplace.farm("show", "1")
        #expect(shown.status == 0, "\(shown.error)")
        try await shared.end()
    }

    /// Columns, an index and a view of its own, and rows as older scripts leave them: results without job_id and of services
    /// that farm does not know, a box that no detector names any more, several votes of an image, enrichments of other kinds.
    private static let rows = """
        ALTER TABLE images ADD COLUMN licence TEXT NOT NULL DEFAULT 'cc-by', ADD COLUMN rating INT;
        ALTER TABLE results ADD COLUMN reviewed BOOLEAN DEFAULT false, ADD COLUMN note TEXT;
        ALTER TABLE postprocessing ADD COLUMN cropped_path TEXT;
        ALTER TABLE consensus ADD COLUMN seen_by TEXT DEFAULT 'nobody';
        CREATE INDEX results_worker ON results (worker_id);
        CREATE VIEW progress AS SELECT service, count(*) FROM results GROUP BY service;
        UPDATE images SET rating = image_id;
        INSERT INTO results (image_id, service, data, status, processing_time, worker_id, note) VALUES
            (1, 'yolov8', '{"predictions": [{"label": "person", "emoji": "🧑", "confidence": 0.9, "bbox":
                {"x": 10, "y": 20, "width": 100, "height": 200}}, {"label": "dog", "emoji": "🐶", "confidence": 0.9, "bbox":
                {"x": 150, "y": 100, "width": 80, "height": 60}}]}', 'success', 0.5, 'older', 'good'),
            (1, 'clip', '{"predictions": [{"label": "dog", "emoji": "🐶"}]}', 'success', 0.5, 'older', NULL),
            (1, 'colors', '{"predictions": []}', 'success', 0.5, 'older', NULL),
            (1, 'sentiment', '{"mood": "calm"}', 'success', NULL, NULL, NULL),
            (2, 'clip', '{"error": "timeout"}', 'error', 30, 'older', NULL),
            (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        INSERT INTO merged_boxes (image_id, source_result_ids, merged_data, status, worker_id) VALUES
            (1, '{1}', '{"cluster_id": "person_1", "label": "person", "merged_bbox":
                {"x": 10, "y": 20, "width": 100, "height": 200}}', 'success', 'older'),
            (1, '{1}', '{"cluster_id": "cat_1", "label": "cat", "merged_bbox":
                {"x": 1, "y": 2, "width": 10, "height": 20}}', 'success', 'older');
        INSERT INTO consensus (image_id, consensus_data, seen_by) VALUES
            (1, '{"votes": {}}', 'somebody'), (1, '{"votes": {}}', NULL), (2, '{}', NULL);
        INSERT INTO postprocessing (image_id, merged_box_id, service, data, status, cropped_path) VALUES
            (1, NULL, 'spatial_enrichment', '{"n": 1}', 'success', '/tmp/1.jpg'),
            (1, NULL, 'spatial_enrichment', '{"n": 2}', 'success', NULL),
            (1, 1, 'spatial_enrichment', '{"n": 3}', 'success', NULL),
            (1, 1, 'spatial_enrichment', '{"n": 4}', 'success', NULL),
            (1, 2, 'spatial_enrichment', '{"n": 5}', 'error', NULL),
            (7, 8, 'spatial_enrichment', '{"n": 6}', NULL, NULL);
        """

    /// Every row of the other program that is no present state of farm's, in all its columns.
    private func kept(_ shared: Shared) async throws -> [[String]] {
        try await shared.site.query(
            """
            SELECT to_jsonb(i) - 'image_group' FROM images i
            UNION ALL SELECT to_jsonb(r) - 'job_id' FROM results r WHERE result_id <= 6
            UNION ALL SELECT to_jsonb(p) FROM postprocessing p WHERE service = 'spatial_enrichment'
            ORDER BY 1
            """)
    }
}
