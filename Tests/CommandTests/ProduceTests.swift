import Foundation
import Model
import Testing

@Suite("farm produce")
struct ProduceTests {
    /// Photos, and a configuration of two primary services, a crop service, an address and the roles; nobody listens.
    private func workplace(photos: Int) async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1), ("yolov8", 2), ("face", 3)])
        if photos > 0 {
            try workplace.photos((1...photos).map { "photos/\($0).jpg" })
            #expect(try await workplace.farm("import", "photos", "--group", "g").status == 0)
        }
        return workplace
    }

    private func depths(_ workplace: Workplace) async throws -> [String] {
        try await workplace.rows("SELECT queue, count(*) FROM farm_queue GROUP BY queue ORDER BY queue")
    }

    @Test("every primary service of this machine gets a job per image, in the contract's form")
    func counts() async throws {
        let workplace = try await workplace(photos: 3)
        let produced = try await workplace.farm("produce")
        #expect(produced.status == 0, "\(produced.error)")
        #expect(produced.output.contains("6 jobs submitted: 3 images × clip, yolov8"))
        #expect(try await depths(workplace) == ["queue_clip|3", "queue_yolov8|3"])
        let body = try #require(
            try await workplace.rows("SELECT CAST(body AS TEXT) FROM farm_queue WHERE queue = 'queue_clip' LIMIT 1")
                .first)
        let job = try JSON(parsing: body)
        #expect(
            job.keys.sorted() == [
                "image_filename", "image_id", "image_path", "image_url", "job_id", "queue_name", "service_name",
                "submitted_at",
            ])
        #expect(job["service_name"]?.stringValue == "clip")
        #expect(job["queue_name"]?.stringValue == "queue_clip")
        #expect(UUID(uuidString: job["job_id"]?.stringValue ?? "") != nil)
    }

    @Test("--json prints the counts, --dry-run submits nothing, --limit counts images")
    func limits() async throws {
        let workplace = try await workplace(photos: 3)
        let dry = try await workplace.farm("produce", "--dry-run", "--json", "--limit", "2")
        #expect(
            try dry.json() == [
                "images": 2, "jobs": 4, "services": ["clip", "yolov8"], "dry_run": true, "skipped_failed": 0,
            ])
        #expect(try await depths(workplace).isEmpty)
        let limited = try await workplace.farm("produce", "--json", "--limit", "1")
        #expect(
            try limited.json() == [
                "images": 1, "jobs": 2, "services": ["clip", "yolov8"], "dry_run": false, "skipped_failed": 0,
            ])
        #expect(try await depths(workplace) == ["queue_clip|1", "queue_yolov8|1"])
    }

    @Test("spatial_only, named services, also of the catalogue, and full_catalog with its warning")
    func choices() async throws {
        let workplace = try await workplace(photos: 1)
        func services(_ choice: String) async throws -> (names: [String], error: String) {
            let dry = try await workplace.farm("produce", "--dry-run", "--json", "--services", choice)
            #expect(dry.status == 0, "\(dry.error)")
            return (try dry.json()["services"]?.arrayValue?.compactMap(\.stringValue) ?? [], dry.error)
        }
        #expect(try await services("all").names == ["clip", "yolov8"])
        #expect(try await services("primary").names == ["clip", "yolov8"])
        #expect(try await services("spatial_only").names == ["face"])
        #expect(try await services("ocr, clip,ocr").names == ["ocr", "clip"])
        let whole = try await services("full_catalog")
        #expect(whole.names.count == 13)
        #expect(Set(whole.names).isDisjoint(with: ["bbox_merger", "consensus", "spatial_enrichment"]))
        #expect(whole.error.contains("warning"))
        #expect(whole.error.contains("face pose"), "which workers to start by hand")
    }

    @Test("a role of post-processing is no service to produce for")
    func noPostProcessing() async throws {
        let workplace = try await workplace(photos: 1)
        for role in ["bbox_merger", "consensus", "spatial_enrichment", "post_processing"] {
            let finished = try await workplace.farm("produce", "-s", "clip,\(role)")
            #expect(finished.status == 2)
            #expect(finished.error.contains(role))
        }
        #expect(try await depths(workplace).isEmpty)
    }

    @Test("an unknown service among known ones publishes nothing")
    func unknownService() async throws {
        let workplace = try await workplace(photos: 1)
        let finished = try await workplace.farm("produce", "-s", "clip,typo,yolov8")
        #expect(finished.status == 2)
        #expect(finished.error.contains("typo"))
        #expect(finished.error.contains("detectron2"), "the known ones")
        #expect(try await depths(workplace).isEmpty)
    }

    @Test("no image, or none in the group, is exit 1")
    func noImage() async throws {
        let empty = try await workplace(photos: 0)
        let none = try await empty.farm("produce")
        #expect(none.status == 1)
        #expect(none.error.contains("no image"))
        let workplace = try await workplace(photos: 1)
        let group = try await workplace.farm("produce", "--group", "other")
        #expect(group.status == 1)
        #expect(group.error.contains("other"))
        #expect(try await depths(workplace).isEmpty)
    }

    @Test("--list-services prints by category, with port and description, and opens nothing")
    func list() async throws {
        let workplace = try Workplace()
        let list = try await workplace.farm("produce", "--list-services")
        #expect(list.status == 0)
        let order = ["primary", "yolov8", "spatial_only", "face", "post_processing", "bbox_merger"]
            .map { list.output.range(of: $0)?.lowerBound }
        #expect(!order.contains(nil))
        #expect(order.compactMap(\.self) == order.compactMap(\.self).sorted())
        #expect(list.output.contains(/yolov8 +7773 +localhost +object boxes/))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("farm.db")))
    }

    @Test("--resume skips pairs with a successful result, counts --limit in images that lack something")
    func resume() async throws {
        let workplace = try await workplace(photos: 4)
        _ = try await workplace.rows(
            """
            INSERT INTO results (image_id, service, data, status) VALUES
                (1, 'clip', '{}', 'success'), (1, 'yolov8', '{}', 'success'), (2, 'clip', '{}', 'success'),
                (3, 'clip', '{}', 'error')
            """)
        let limited = try await workplace.farm("produce", "--resume", "--limit", "2", "--json")
        #expect(limited.status == 0)
        #expect(try limited.json()["images"]?.integerValue == 2)
        #expect(try await depths(workplace) == ["queue_clip|1", "queue_yolov8|2"], "2 lacks yolov8, 3 both")
        #expect(!limited.error.contains("warning"))

        let again = try await workplace.farm("produce", "--resume")
        #expect(again.status == 0)
        #expect(again.error.contains("warning: 3 jobs"), "jobs still wait: they are not seen")
        #expect(again.output.contains("5 jobs submitted"))
    }

    @Test("--resume with nothing left to do is no error")
    func nothingLeft() async throws {
        let workplace = try await workplace(photos: 1)
        _ = try await workplace.rows(
            "INSERT INTO results (image_id, service, data, status) VALUES (1, 'clip', '{}', 'success'), (1, 'yolov8', '{}', 'success')"
        )
        let finished = try await workplace.farm("produce", "--resume")
        #expect(finished.status == 0)
        #expect(finished.output.contains("0 jobs submitted"))
    }

    @Test("--wait ends when the jobs have their rows and the consensus is up to date")
    func wait() async throws {
        let scene = try await Scene(photos: 2)
        let up = try scene.workplace.start(["up"])
        let produced = try await scene.workplace.farm("produce", "--wait")
        #expect(produced.status == 0, "\(produced.error)")
        #expect(try await scene.workplace.count("SELECT count(*) FROM results") == 2 * Scene.primary)
        #expect(try await scene.workplace.count("SELECT count(*) FROM consensus") == 2)
        #expect(try await scene.workplace.count("SELECT count(*) FROM postprocessing") == 2 * 4)
        #expect(try await scene.workplace.count("SELECT count(*) FROM farm_queue") == 0)
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        try await scene.doubles.stop()
    }

    @Test(
        "--wait where nobody merges and votes says so, names no service that was not configured, and ends when somebody does"
    )
    func waitForRoles() async throws {
        let scene = try await Scene(photos: 2)
        let work = scene.workplace
        try work.configure(scene.doubles.ports.filter { ["yolov8", "clip"].contains($0.service) }, roles: false)
        let produce = try work.startOnTerminal(["produce", "--wait"])
        try await eventually("the jobs are there") { produce.output.contains("4 jobs submitted") }
        let idle = try await work.farm("up", "--until-idle", environment: Scene.impatient)
        #expect(idle.status == 0, "\(idle.error)")
        #expect(idle.error.contains("2 triggers of bbox_merger, 2 triggers of consensus waiting"), "\(idle.error)")
        try await eventually("the missing roles are named") {
            produce.output.contains("warning: no worker is alive for bbox_merger, consensus")
        }
        #expect(produce.output.contains("farm merge, farm consense"))
        try work.configure(scene.doubles.ports)
        #expect(try await scene.upUntilIdle().status == 0)
        let finished = try await produce.finished()
        #expect(finished.status == 0, "\(finished.output)")
        #expect(finished.output.contains("4 triggers left"), "\(finished.output)")
        #expect(!finished.output.contains("down:"), "crop services are not this machine's: \(finished.output)")
        try await scene.doubles.stop()
    }

    @Test("--wait tells what a crop service leaves undone that another machine alone knows and that is down, and fails")
    func waitForOthersService() async throws {
        let scene = try await Scene(["yolov8", "clip", "colors", "pose"], photos: 1, absent: ["face"])
        let work = scene.workplace
        let all = try String(contentsOfFile: work.path("service_config.json"), encoding: .utf8)
        try work.configure(scene.doubles.ports.filter { ["yolov8", "clip"].contains($0.service) }, roles: false)
        let produce = try work.startOnTerminal(["produce", "--wait", "--services", "yolov8,clip"])
        try await eventually("the jobs are there") { produce.output.contains("2 jobs submitted") }
        try all.write(toFile: work.path("service_config.json"), atomically: true, encoding: .utf8)
        let up = try work.start(["up"], environment: Scene.impatient)
        let finished = try await produce.finished()
        #expect(finished.status == 1, "\(finished.output)")
        #expect(
            finished.output.contains("without face: it is down for the machine that enriches"), "\(finished.output)")
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        try await scene.doubles.stop()
    }

    @Test("--wait tells what a service that is down leaves undone, and fails")
    func waitInVain() async throws {
        let workplace = try await workplace(photos: 2)
        let port = try #require(try ServiceDoubles.freePorts(1).first)
        try workplace.configure([("clip", port)])
        let produced = try await workplace.farm("produce", "--services", "clip", "--wait")
        #expect(produced.status == 1)
        #expect(produced.output.contains("2 jobs submitted"))
        #expect(produced.error.contains("2 jobs of clip still waiting"))
        #expect(try await depths(workplace) == ["queue_clip|2"])
    }

    @Test("--wait ends when its jobs were purged, says so, and fails")
    func waitForPurged() async throws {
        let scene = try await Scene(["clip", "yolov8"], photos: 3)
        let workplace = scene.workplace
        let produce = try workplace.start(["produce", "--services", "clip,yolov8", "--wait"])
        try await eventually("the jobs are there") {
            try await workplace.waiting() == ["queue_clip|3", "queue_yolov8|3"]
        }
        _ = try await workplace.rows("DELETE FROM farm_queue WHERE queue = 'queue_clip'")
        #expect(produce.isRunning)
        let purged = try await workplace.farm("purge", "--service", "yolov8", "--yes")
        #expect(purged.status == 0)
        let finished = try await produce.finished()
        #expect(finished.status == 1)
        #expect(finished.error.contains("3 images without a row of clip, yolov8: their jobs are in no queue any more"))
        #expect(finished.error.contains("farm produce --resume submits them again"))
        try await scene.doubles.stop()
    }

    @Test(
        "an interrupted produce says how far it came and exits 130; --resume knows nothing of the waiting jobs but says so"
    )
    func interrupted() async throws {
        let workplace = try await workplace(photos: 3)
        let produce = try workplace.start(["produce", "--delay", "600"])
        try await eventually("the first job is there") { try await depths(workplace).count == 1 }
        produce.signal(SIGINT)
        let finished = try await produce.finished()
        #expect(finished.status == 130)
        #expect(finished.error.contains("stopped after 1 job"))
        #expect(try await depths(workplace) == ["queue_clip|1"])
    }
}
