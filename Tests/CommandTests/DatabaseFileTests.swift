import Foundation
import Testing

@Suite("farm.db")
struct DatabaseFileTests {
    @Test("it is made at first use; init tells what it did, and again does nothing")
    func made() async throws {
        let workplace = try Workplace()
        let first = try await workplace.farm("init")
        #expect(first.status == 0, "\(first.error)")
        #expect(first.output.contains("table images created"))
        #expect(first.output.contains("farm.db"))
        let again = try await workplace.farm("init")
        #expect(again.status == 0)
        #expect(!again.output.contains("created"))
        let tables = try await workplace.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        for table in ["images", "results", "merged_boxes", "consensus", "postprocessing", "worker_heartbeats"] {
            #expect(tables.contains(table), "\(table)")
        }
    }

    @Test(
        "what is no database is exit 2 with the way to mend it, and stays as it is",
        arguments: ["status", "init", "up"])
    func noDatabase(_ command: String) async throws {
        let workplace = try Workplace()
        let text = String(repeating: "Dear diary, ", count: 100)
        try workplace.write("farm.db", text)
        let finished = try await workplace.farm(command)
        #expect(finished.status == 2)
        #expect(finished.error.contains("farm.db"))
        #expect(finished.error.contains("FARM_DB"))
        #expect(try String(contentsOfFile: workplace.path("farm.db"), encoding: .utf8) == text)
    }

    @Test("a folder that does not exist is named")
    func missingFolder() async throws {
        let finished = try await Workplace().farm("status", environment: ["FARM_DB": "no/such/farm.db"])
        #expect(finished.status == 2)
        #expect(finished.error.contains("no/such"))
        #expect(finished.error.contains("FARM_DB"))
    }

    @Test("a folder in the file's place is named")
    func folder() async throws {
        let finished = try await Workplace().farm("status", environment: ["FARM_DB": "."])
        #expect(finished.status == 2)
        #expect(finished.error.contains("FARM_DB") || finished.error.contains("."))
        #expect(!finished.error.contains("Fatal"))
    }

    @Test("a file that another program made with the tables of the contract is taken over, nothing is lost")
    func foreignFile() async throws {
        let workplace = try Workplace()
        _ = try await workplace.rows(
            """
            CREATE TABLE images (image_id INTEGER PRIMARY KEY, image_filename TEXT, image_path TEXT, image_url TEXT);
            CREATE TABLE results (result_id INTEGER PRIMARY KEY, image_id INT, service VARCHAR(50), data TEXT,
                status VARCHAR(20), processing_time FLOAT, result_created TEXT, worker_id VARCHAR(50));
            INSERT INTO images (image_filename, image_url) VALUES ('a.jpg', 'http://nas.local/a.jpg');
            INSERT INTO results (image_id, service, data, status, result_created) VALUES
                (1, 'clip', '{"predictions":[{"emoji":"🐶"}]}', 'success', '2025-01-02 03:04:05'),
                (1, 'blip', '{"predictions":[{"emoji_mappings":[{"word":"dog","emoji":"🐶"}]}]}', 'success', '2025-01-02 03:04:06');
            """)
        let initialised = try await workplace.farm("init")
        #expect(initialised.status == 0, "\(initialised.error)")
        #expect(initialised.output.contains("results.job_id"))
        let status = try await workplace.farm("status", "--json").json()
        #expect(status["totals"]?["images"]?.integerValue == 1)
        #expect(status["totals"]?["results"]?.integerValue == 2)
        let missing = try await workplace.farm("produce", "--resume", "--json", "-s", "clip,blip,ocr").json()
        #expect(missing["jobs"]?.integerValue == 1, "the results count")
        #expect(try await workplace.farm("consense", "--all").status == 0)
        let votes =
            "SELECT json_extract(consensus_data, '$.votes.consensus[0].emoji', '$.votes.consensus[0].votes') FROM consensus"
        #expect(try await workplace.rows(votes) == [#"["🐶",2]"#])
    }

    @Test("a file that another program keeps locked is told apart from a broken one")
    func locked() async throws {
        let workplace = try Workplace()
        #expect(try await workplace.farm("init").status == 0)
        try workplace.photos(["photos/1.jpg"])
        let locker = try Running(
            URL(fileURLWithPath: "/usr/bin/python3"),
            [
                "-c",
                """
                import signal, sqlite3
                file = sqlite3.connect("farm.db", isolation_level=None)
                # As while farm is at work: the log holds something.
                file.execute("CREATE TABLE another_programs (id INTEGER)")
                file.execute("BEGIN IMMEDIATE")
                print("locked", flush=True)
                signal.pause()
                """,
            ],
            in: workplace.folder, ["PATH": "/usr/bin:/bin"])
        try await eventually("the lock is taken") { locker.output.contains("locked") }
        #expect(try await workplace.farm("status").status == 0, "reading goes on")
        async let checked = workplace.farm("check")
        let finished = try await workplace.farm("import", "photos")
        #expect(finished.status == 1)
        #expect(finished.error.contains("locked by another program"))
        #expect(finished.error.contains("end the tool that keeps a transaction open"))
        #expect(try await checked.output.contains(/failed +farm.db: .*locked by another program/))
        // Its first write waits for the lock, whenever the signal comes.
        let stopped = try workplace.start(
            ["import", "photos", "--existing", "--group", "a"], environment: ["SHUTDOWN_TIMEOUT": "1"])
        try await eventually("it handles SIGTERM") { stopped.handles(SIGTERM) }
        stopped.signal(SIGTERM)
        let end = try await stopped.finished()
        #expect(end.status == 1, "\(end.error)")
        #expect(end.error.contains("not drained within 1.0 s, ends; not all is done: run it again for the rest"))
        locker.signal(SIGTERM)
        _ = try await locker.finished()
        #expect(try await workplace.farm("import", "photos").output.contains("1 added"), "nothing is lost")
        #expect(try await workplace.farm("check").output.contains("farm.db: can be used"))
    }

    @Test("rows of another program without a trigger are voted on; those of no image keep nobody waiting")
    func rowsWithoutTrigger() async throws {
        let scene = try await Scene(["yolov8", "clip"], photos: 1)
        _ = try await scene.workplace.rows(
            """
            INSERT INTO results (image_id, service, data, status) VALUES
            (1, 'a', '{"predictions": [{"emoji": "☕"}]}', 'success'), (1, 'b', '{"predictions": [{"emoji": "☕"}]}', 'success'),
            (99, 'a', '{"predictions": []}', 'success');
            """)
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(try await scene.workplace.count("SELECT count(*) FROM consensus WHERE image_id = 1") == 1)
        #expect(try await scene.workplace.count("SELECT count(*) FROM farm_dead") == 0)
        try await scene.doubles.stop()
    }
}
