import Foundation
import Model
import Pipeline
import PostgreSQL
import Testing

@Suite("A PostgreSQL database that another program made")
struct PostgreSQLTakeoverTests {
    /// The guide's statements, to the letter.
    static let guide = """
        CREATE TABLE images (image_id SERIAL PRIMARY KEY, image_filename VARCHAR(255), image_path TEXT, image_url TEXT);
        CREATE TABLE results (result_id SERIAL PRIMARY KEY, image_id INT, service VARCHAR(50), data JSONB, status VARCHAR(20), processing_time FLOAT, result_created TIMESTAMP DEFAULT NOW(), worker_id VARCHAR(50));
        CREATE TABLE merged_boxes (merged_id SERIAL PRIMARY KEY, image_id INT, source_result_ids INT[], merged_data JSONB, status VARCHAR(20), created TIMESTAMP DEFAULT NOW(), worker_id VARCHAR(50));
        CREATE TABLE consensus (consensus_id SERIAL PRIMARY KEY, image_id INT, consensus_data JSONB, processing_time FLOAT, consensus_created TIMESTAMP DEFAULT NOW());
        CREATE TABLE postprocessing (postprocessing_id SERIAL PRIMARY KEY, image_id INT, merged_box_id INT, service VARCHAR(50), data JSONB, status VARCHAR(20), result_created TIMESTAMP DEFAULT NOW());
        """

    /// Rows as they are found in the wild.
    static let rows = """
        INSERT INTO images (image_filename, image_path, image_url)
        VALUES ('a.jpg', '/a.jpg', NULL), ('b.jpg', NULL, 'http://h/' || repeat('b', 5000)), (NULL, NULL, NULL);
        INSERT INTO results (image_id, service, data, status, processing_time, result_created, worker_id)
        VALUES (1, 'blip', '{"n":1}', 'success', 0.5, '2026-01-02 03:04:05', 'w'), (1, 'clip', '7', NULL, NULL, NULL, NULL),
            (2, 'blip', '{"n":2}', 'success', 'NaN', 'infinity', NULL), (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        INSERT INTO merged_boxes (image_id, merged_data) VALUES (1, '[]');
        INSERT INTO consensus (image_id, consensus_data) VALUES (1, '{}'), (1, '{"old":1}');
        INSERT INTO postprocessing (image_id, merged_box_id, service, data, status, result_created) VALUES
            (1, 1, 'face', '{"n":1}', 'error', '2026-01-02'), (1, 1, 'face', '{"n":2}', 'success', '2026-01-02'),
            (1, NULL, 'spatial_enrichment', '{}', 'success', NULL), (1, NULL, 'spatial_enrichment', '{}', 'success', NULL);
        """

    @Test("by the guide is taken over with all its rows, says what it did once, and works")
    func guide() async throws {
        try await withDatabase { options in
            _ = try await tool(options, PostgreSQLTakeoverTests.guide + PostgreSQLTakeoverTests.rows)
            let database = try await PostgreSQLDatabase.open(options)
            let done = try await database.prepare()
            for line in [
                "column images.image_group added", "column results.job_id added", "table farm_begun created",
                "index farm_results_job created", "trigger farm_stale_insert on results created",
                "1 superseded rows of postprocessing moved to farm_superseded_postprocessing",
            ] { #expect(done.contains(line)) }
            #expect(!done.contains("table images created"))
            #expect(try await database.prepare().isEmpty)
            #expect(try await tool(options, "SELECT data->>'n' FROM farm_superseded_postprocessing") == ["1"])

            let store = PostgreSQLStore(database)
            let report = try #require(try await store.report(on: [1, 2, 3]).first)
            #expect(report.findings.results.map(\.service) == ["blip", "clip"])
            #expect(report.findings.results.map(\.status) == [.success, .error])
            #expect(report.findings.results[0].created == Date(timeIntervalSince1970: 1_767_323_045))
            #expect(report.findings.boxes == [StoredBox(mergedID: 1, data: .array([]))])
            #expect(report.findings.enrichments.map(\.data) == [.object(["n": 2])])
            #expect(report.consensus == .object(["old": 1]))
            // Image 1 was voted on after all its rows, image 2 never.
            #expect(try await store.imagesWithStaleConsensus(limit: 9) == [2])
            #expect(try await store.totals().results == 4)
            #expect(try await store.services().map(\.service) == ["blip", "clip"])
            #expect(try await store.assignGroup("g") == 3)
            try await store.record([.of(1, "yolov8")])
            let merged = try await store.updateBoxes(of: [1], from: ["yolov8"], workerID: "m") { _, boxes in
                BoxChanges(removed: boxes.map(\.mergedID), inserted: [.of("cat")])
            }
            #expect(merged == [1: 1])
            await database.close()
        }
    }

    @Test("is given back by what docs/deploying.md says: nothing of farm's runs there any more, and farm may come back")
    func givenBack() async throws {
        try await withDatabase { options in
            _ = try await tool(options, PostgreSQLTakeoverTests.guide + PostgreSQLTakeoverTests.rows)
            let database = try await PostgreSQLDatabase.open(options)
            _ = try await database.prepare()
            let root = (0..<4).reduce(URL(filePath: #filePath)) { place, _ in place.deletingLastPathComponent() }
            let page = try String(contentsOf: root.appending(path: "docs/deploying.md"), encoding: .utf8)
            let section = try #require(page.range(of: "To go back"))
            let sql = page[section.upperBound...].split(separator: "\n\n")[1]
            #expect(sql.contains("DROP TABLE"))
            _ = try await tool(options, String(sql))
            let left = """
                SELECT relname FROM pg_class WHERE relname LIKE 'farm\\_%' AND relkind IN ('r', 'v', 'S')
                    AND relname NOT LIKE 'farm_superseded%'
                UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'farm\\_%'
                UNION ALL SELECT tgname FROM pg_trigger WHERE tgname LIKE 'farm\\_%'
                """
            #expect(try await tool(options, left) == [])
            // The other program goes on.
            _ = try await tool(
                options, "INSERT INTO results (image_id, service) VALUES (1, 'blip'); DELETE FROM consensus")
            _ = try await database.prepare()
            #expect(try await PostgreSQLStore(database).totals().results == 5)
            await database.close()
        }
    }

    @Test("with a foreign key on the boxes: a box that goes takes all that points to it along")
    func foreignKey() async throws {
        try await withDatabase { options in
            _ = try await tool(
                options,
                PostgreSQLTakeoverTests.guide + """
                    ALTER TABLE postprocessing ADD FOREIGN KEY (merged_box_id) REFERENCES merged_boxes;
                    INSERT INTO images (image_filename) VALUES ('a.jpg');
                    INSERT INTO merged_boxes (image_id, merged_data) VALUES (1, '{}');
                    INSERT INTO postprocessing (image_id, merged_box_id, service) VALUES (1, 1, 'spatial_enrichment');
                    """)
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            try await store.record([.of(1, "yolov8")])
            let merged = try await store.updateBoxes(of: [1], from: ["yolov8"], workerID: "m") { _, boxes in
                BoxChanges(removed: boxes.map(\.mergedID), inserted: [.of("cat")])
            }
            #expect(merged == [1: 1])
            #expect(try await tool(options, "SELECT count(*) FROM postprocessing") == ["0"])
            await database.close()
        }
    }

    @Test("with one row per image and service: a second one is refused, not lost")
    func uniqueness() async throws {
        try await withDatabase { options in
            _ = try await tool(
                options,
                PostgreSQLTakeoverTests.guide + """
                    ALTER TABLE results ADD UNIQUE (image_id, service), ADD tenant TEXT NOT NULL DEFAULT 'none';
                    INSERT INTO images (image_filename) VALUES ('a.jpg');
                    """)
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            let first = AnalysisResult.of(1, "clip")
            try await store.record([first])
            try await store.record([first])
            let fault = await #expect(throws: PortFault.self) { try await store.record([.of(1, "clip")]) }
            #expect(fault?.kind == .refused)
            await database.close()
        }
    }

    @Test("is prepared by several boxes at once, with rows in it", .timeLimit(.minutes(5)))
    func together() async throws {
        try await withDatabase { options in
            _ = try await tool(options, PostgreSQLTakeoverTests.guide + PostgreSQLTakeoverTests.rows)
            let done = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let database = try await PostgreSQLDatabase.open(options)
                        let done = try await database.prepare()
                        await database.close()
                        return done
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(done.filter { $0 == "index farm_results_newest created" }.count == 1)
            #expect(try await tool(options, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == ["0"])
        }
    }

    @Test("with quote_all_identifiers on is understood all the same")
    func quotedNames() async throws {
        try await withDatabase { options in
            _ = try await tool(
                options,
                PostgreSQLTakeoverTests.guide + PostgreSQLTakeoverTests.rows
                    + "ALTER DATABASE \(options.name) SET quote_all_identifiers = on")
            let database = try await PostgreSQLDatabase.open(options)
            #expect(try await database.prepare().contains("column results.job_id added"))
            #expect(try await database.prepare().isEmpty)
            try await PostgreSQLStore(database).record([.of(1)])
            await database.close()
            let findings = await PostgreSQLProbe(options).findings()
            #expect(findings.map(\.grade) == [.ok], "\(findings)")
        }
    }

    @Test("with an index left half made gets it made anew")
    func halfMade() async throws {
        try await withDatabase { options in
            let first = try await PostgreSQLDatabase.open(options)
            await first.close()
            _ = try await tool(
                options,
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'farm_results_newest'::regclass")
            let again = try await PostgreSQLDatabase.open(options)
            #expect(try await again.prepare() == ["index farm_results_newest created"])
            await again.close()
        }
    }

    @Test(
        "with a column that farm cannot use is refused by name",
        arguments: [
            ("CREATE TABLE results (result_id SERIAL PRIMARY KEY, image_id TEXT)", "image_id is text"),
            ("CREATE TABLE results (result_id SERIAL PRIMARY KEY, data JSON)", "data is json"),
            ("CREATE TABLE images (id SERIAL PRIMARY KEY)", "no column image_id"),
            ("CREATE TABLE images (image_id INT PRIMARY KEY)", "new rows get no image_id"),
            ("CREATE TABLE results (result_id SERIAL PRIMARY KEY, tenant TEXT NOT NULL)", "ALTER tenant DROP NOT NULL"),
        ])
    func misfit(_ sql: String, _ message: String) async throws {
        try await withDatabase { options in
            _ = try await tool(options, sql)
            let fault = await #expect(throws: PortFault.self) { try await PostgreSQLDatabase.open(options) }
            #expect(fault?.kind == .unusable)
            #expect(fault?.message.contains(message) == true)
        }
    }

    @Test("of a newer farm is used if that farm only added to it, else refused; a reader changes nothing")
    func versions() async throws {
        try await withDatabase { options in
            let early = await #expect(throws: PortFault.self) {
                try await PostgreSQLDatabase.open(options, readsOnly: true)
            }
            #expect(early?.message.contains("farm init") == true)
            #expect(try await tool(options, "SELECT count(*) FROM pg_class WHERE relname = 'images'") == ["0"])
            let first = try await PostgreSQLDatabase.open(options)
            await first.close()
            _ = try await tool(options, "INSERT INTO farm_schema VALUES (100, 1)")
            let reader = try await PostgreSQLDatabase.open(options, readsOnly: true)
            #expect(try await PostgreSQLStore(reader).totals().images == 0)
            await reader.close()
            _ = try await tool(options, "INSERT INTO farm_schema VALUES (101, 101)")
            let newer = await #expect(throws: PortFault.self) { try await PostgreSQLDatabase.open(options) }
            #expect(newer?.kind == .unusable)
            #expect(newer?.message.contains("newer farm") == true)
        }
    }

    @Test("of an older farm is brought up to date, and what was done once is not done again")
    func older() async throws {
        try await withDatabase { options in
            await (try await PostgreSQLDatabase.open(options)).close()
            // By the clocks this consensus is stale; the triggers know better.
            _ = try await tool(
                options,
                """
                INSERT INTO images (image_filename) VALUES ('a.jpg');
                INSERT INTO results (image_id, service, data, status, result_created)
                VALUES (1, 'blip', '{}', 'success', '2030-01-02');
                INSERT INTO consensus (image_id, consensus_data, consensus_created) VALUES (1, '{}', '2020-01-02');
                DELETE FROM farm_stale; DROP TABLE farm_refused;
                DELETE FROM farm_schema; INSERT INTO farm_schema VALUES (1, 1);
                """)
            let database = try await PostgreSQLDatabase.open(options)
            let done = try await database.prepare()
            #expect(done.contains("table farm_refused created"))
            #expect(try await PostgreSQLStore(database).imagesWithStaleConsensus(limit: 9).isEmpty)
            await database.close()
        }
    }

    @Test("in another time zone gives times in UTC and takes them by its own clock")
    func timeZone() async throws {
        try await withDatabase { options in
            _ = try await tool(options, "ALTER DATABASE \(options.name) SET TimeZone = 'Asia/Kolkata'")
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            let image = try #require(try await store.add([NewImage(path: "/a")], move: false).ids.first)
            let before = Date()
            try await store.record([.of(image)])
            let after = Date()
            let row = try #require(try await store.report(on: [image]).first?.findings.results.first)
            #expect(row.created > before - 30 && row.created < after + 30)
            #expect(
                try await tool(
                    options, "SELECT abs(extract(epoch FROM result_created - now()::timestamp)) < 3600 FROM results")
                    == [
                        "t"
                    ])
            let report = try #require(try await store.services().first)
            let last = try #require(report.last)
            #expect(last > before - 30 && last < after + 30)
            #expect(report.p50 == 0.25)
            await database.close()
        }
    }
}
