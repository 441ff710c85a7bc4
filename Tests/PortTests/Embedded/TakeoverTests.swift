@testable import Embedded
import Foundation
import GRDB
import Model
import Pipeline
import Testing

@Suite("An embedded file that another program made")
struct TakeoverTests {
    /// The six tables with just the columns of the contract, and rows as they are found in the wild.
    private func foreign(_ folder: Folder) async throws {
        try await tool(folder.database).write { database in
            try database.execute(
                sql: """
                    CREATE TABLE images (image_id INTEGER PRIMARY KEY, image_filename VARCHAR(255), image_path TEXT, image_url TEXT);
                    CREATE TABLE results (result_id INTEGER PRIMARY KEY, image_id INT, service VARCHAR(50), data JSONB,
                        status VARCHAR(20), processing_time FLOAT, result_created TIMESTAMP DEFAULT CURRENT_TIMESTAMP, worker_id VARCHAR(50));
                    CREATE TABLE merged_boxes (merged_id INTEGER PRIMARY KEY, image_id INT, source_result_ids INT[], merged_data JSONB,
                        status VARCHAR(20), created TIMESTAMP, worker_id VARCHAR(50));
                    CREATE TABLE consensus (consensus_id INTEGER PRIMARY KEY, image_id INT, consensus_data JSONB, processing_time FLOAT,
                        consensus_created TIMESTAMP);
                    CREATE TABLE postprocessing (postprocessing_id INTEGER PRIMARY KEY, image_id INT, merged_box_id INT,
                        service VARCHAR(50), data JSONB, status VARCHAR(20));
                    CREATE TABLE worker_heartbeats (id INTEGER PRIMARY KEY, timestamp TIMESTAMP, worker_id VARCHAR(50),
                        service_name VARCHAR(50), node_hostname VARCHAR(50), status TEXT, jobs_completed INT, jobs_per_minute FLOAT,
                        last_job_time TIMESTAMP, queue_depth INT, error_message TEXT);
                    INSERT INTO images VALUES (1, 'a.jpg', '/a.jpg', NULL), (2, 'b.jpg', NULL, 'http://h/b.jpg'), (3, NULL, NULL, NULL);
                    INSERT INTO results VALUES (1, 1, 'blip', '{"n":1}', 'success', 0.5, '2026-01-02T03:04:05Z', 'w'),
                        (2, 1, 'clip', '{broken', 'success', 'x', '2026-01-02 03:04:05+02:00', 'w'),
                        (3, 1, 'ocr', x'ff00', 'success', 1, 1767323045, NULL), (4, 1, NULL, '{}', 'success', 1, 'never', NULL),
                        (5, 2, 'blip', '7', NULL, 1, '2026-01-02', NULL), (6, 'junk', 'blip', '{}', 'success', 1, NULL, NULL);
                    INSERT INTO merged_boxes VALUES (7, 1, '[1]', '{"label":"cat"', 'success', NULL, NULL);
                    INSERT INTO consensus VALUES (1, 1, '{}', 1, '2026-02-02 00:00:00'), (2, 1, '{"old":1}', 1, '2026-02-02 00:00:00');
                    INSERT INTO postprocessing VALUES (1, 1, 7, 'face', '{"n":1}', 'error'), (2, 1, 7, 'face', '{"n":2}', 'success'),
                        (3, 1, NULL, 'spatial_enrichment', '{}', 'success'), (4, 1, NULL, 'spatial_enrichment', '{}', 'success');
                    """)
        }
    }

    @Test("is taken over with all its rows; what is malformed counts as null")
    func rows() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        try await foreign(folder)
        let database = try await EmbeddedDatabase.open(folder.database)
        let store = EmbeddedStore(database)
        let report = try #require(try await store.report(on: [1, 2, 3]).first)
        let results = report.findings.results
        #expect(results.map(\.service) == ["blip", "clip", "ocr"])
        #expect(results.map(\.data) == [.object(["n": 1]), .null, .null])
        #expect(results.map(\.processingTime) == [0.5, 0, 1])
        let seconds = results.map { $0.created.timeIntervalSince1970 }
        #expect(seconds == [1_767_323_045, 1_767_315_845, 1_767_323_045])
        #expect(report.findings.boxes == [StoredBox(mergedID: 7, data: .null)])
        #expect(report.findings.enrichments.map(\.data) == [.object(["n": 2])])
        #expect(report.consensus == .object(["old": 1]))
        // Image 1 was voted on after all its rows, image 2 never.
        #expect(try await store.imagesWithStaleConsensus(limit: 9) == [2])
        #expect(try await store.totals().results == 6)
        #expect(try await store.services().map(\.service) == ["blip", "clip", "ocr"])
        await database.close()
    }

    @Test("gets farm's columns and indexes, says so once, and works")
    func upgrade() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        try await foreign(folder)
        let database = try await EmbeddedDatabase.open(folder.database)
        let done = try await database.prepare()
        #expect(done.contains("column images.image_group added"))
        #expect(done.contains("column postprocessing.result_created added"))
        #expect(done.contains("table farm_queue created"))
        #expect(done.contains("index farm_results_job created"))
        #expect(done.contains("1 superseded rows of postprocessing moved to farm_superseded_postprocessing"))
        #expect(!done.contains("table images created"))
        #expect(try await database.prepare().isEmpty)
        let kept = try await tool(folder.database).read {
            try String.fetchAll($0, sql: "SELECT data FROM farm_superseded_postprocessing")
        }
        #expect(kept == [#"{"n":1}"#])

        let store = EmbeddedStore(database)
        #expect(try await store.assignGroup("g") == 3)
        try await store.record([.of(1, "yolov8")])
        let merged = try await store.updateBoxes(of: [1], from: ["yolov8"], workerID: "m") { _, boxes in
            BoxChanges(removed: boxes.map(\.mergedID), inserted: [.of("cat")])
        }
        #expect(merged == [1: 1])
        // The new box must not come under the old one's id, which a slow enricher may still have in hand.
        #expect(try await store.enrichmentWork(of: [1]).first?.boxes.map(\.mergedID) == [8])
        try await EmbeddedHeartbeats(database).record(.of("w1"))
        await database.close()
        let again = try await EmbeddedDatabase.open(folder.database)
        #expect(try await again.prepare().isEmpty)
        await again.close()
    }

    @Test("lets other tools insert rows with just the columns of the contract")
    func plainInsert() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        let created = try await tool(folder.database).write { other in
            try other.execute(
                sql: """
                    INSERT INTO images (image_filename) VALUES ('1.jpg');
                    INSERT INTO results (image_id, service, data, status)
                    VALUES (1, 'a', '{}', 'success'), (1, 'b', '{}', 'success'), (99, 'orphan', '{}', 'success');
                    INSERT INTO worker_heartbeats (worker_id, status) VALUES ('w', 'alive');
                    """)
            return try String.fetchOne(other, sql: "SELECT result_created FROM results") ?? ""
        }
        #expect(created.wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/) != nil)
        #expect(try await EmbeddedStore(database).imagesWithStaleConsensus(limit: 9) == [1])
        await database.close()
    }

    @Test("whose key is none is refused with the way to mend it")
    func noKey() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        try await tool(folder.database).write {
            try $0.execute(sql: "CREATE TABLE images (image_id SERIAL PRIMARY KEY, image_path TEXT)")
        }
        let fault = await #expect(throws: PortFault.self) { try await EmbeddedDatabase.open(folder.database) }
        #expect(fault?.kind == .unusable)
        #expect(fault?.message.contains("image_id is not INTEGER PRIMARY KEY") == true)
    }

    @Test(
        "gives times in every form that SQLite's tools write",
        arguments: [
            ("2026-01-02 03:04:05.678", 1_767_323_045.678), ("2026-01-02 03:04:05", 1_767_323_045),
            ("2026-01-02T03:04:05.5Z", 1_767_323_045.5),
            ("2026-01-02T05:04:05+02:00", 1_767_323_045), ("2026-01-01 22:04:05-05", 1_767_323_045),
            ("2026-01-02", 1_767_312_000),
        ])
    func times(_ text: String, _ seconds: Double) throws {
        let date = try #require(StoredTime.date(text.databaseValue))
        #expect(abs(date.timeIntervalSince1970 - seconds) < 0.0005)
        #expect(
            StoredTime.date(StoredTime.text(date).databaseValue).map { abs($0.timeIntervalSince(date)) < 0.001 } == true
        )
    }

    @Test(
        "gives no time where there is none",
        arguments: ["", "never", "2026-13-40 99:99:99.999", "2026-01-02 03:04", "+", "é", "2026-01-02 03:04:05+99"])
    func noTimes(_ text: String) { #expect(StoredTime.date(text.databaseValue) == nil) }
}
