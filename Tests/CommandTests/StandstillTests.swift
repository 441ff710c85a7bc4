import Foundation
import Model
import Testing

@Suite("What stands still, and why")
struct StandstillTests {
    private func queue(_ name: String, _ workplace: Workplace) async throws -> JSON {
        let status = try await workplace.farm("status", "--json").json()
        return try #require(status["queues"]?.arrayValue?.first { $0["queue"]?.stringValue == name })
    }

    @Test("a service that is down is named with the box that finds it so, while others go on")
    func serviceDown() async throws {
        let scene = try await Scene(["colors"], photos: 2, absent: ["clip"])
        let work = scene.workplace
        let up = try work.start(["work", "clip", "colors"], environment: ["HEARTBEAT_INTERVAL": "3600"])
        try await eventually("both are alive") {
            guard FileManager.default.fileExists(atPath: work.path("farm.db")) else { return false }
            let (clip, colors) = (try await queue("queue_clip", work), try await queue("queue_colors", work))
            return clip["workers"]?.integerValue == 1 && colors["workers"]?.integerValue == 1
        }
        #expect(try await queue("queue_clip", work)["why"] == .null, "nothing waits")
        try await scene.produce()
        try await eventually("it is seen") {
            try await queue("queue_clip", work)["why"]?.stringValue?.contains(/^down on \S+: connection refused$/)
                == true
        }
        #expect(try await queue("queue_colors", work)["why"] == .null)
        let status = try await work.farm("status")
        #expect(status.output.contains(/queue +waiting +in flight +dead +workers +oldest +done\/s +ETA +state/))
        #expect(
            status.output.contains(/queue_clip +\d +\d +0 +1 +\d+ s +- +- +down on \S+: connection refused/),
            "\(status.output)")
        #expect(status.output.contains(/queue_colors +0 +0 +0 +1 +- +\S+ +- +idle/), "\(status.output)")
        let check = try await work.farm("check")
        #expect(
            check.output.contains(/warning queue_clip: \d wait and none is taken: down on \S+: connection refused/),
            "\(check.output)")
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        #expect(try await queue("queue_clip", work)["why"] == "no worker")
        #expect(try await work.count("SELECT count(*) FROM farm_workers") == 0)
        try await scene.doubles.stop()
    }

    @Test("a queue that nobody serves is told on whatever box, with what would serve it")
    func nobody() async throws {
        let scene = try await Scene(["yolov8", "rtdetr"], photos: 1)
        let work = scene.workplace
        try await scene.produce()
        try work.configure(scene.doubles.ports.filter { $0.service == "yolov8" }, roles: false)
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(try await queue("queue_bbox_merge", work)["why"] == "no worker")
        // Another box, which has nothing to do with either.
        try work.configure([("ocr", 1)], roles: false)
        let check = try await work.farm("check")
        #expect(
            check.output.contains(
                "warning queue_rtdetr: 1 wait and none is taken: no worker: start farm up on a machine whose "
                    + "service_config.json names it, or farm work rtdetr"), "\(check.output)")
        #expect(check.output.contains("warning queue_bbox_merge: 1 wait and none is taken: no worker"))
        #expect(check.output.contains("or farm merge"))
        #expect(!check.output.contains("queue_yolov8"))
        try await scene.doubles.stop()
    }

    @Test("a worker that was killed on this machine is gone at once, and one that takes its place is one")
    func killed() async throws {
        let workplace = try await Workplace.prepared(images: 1)
        try workplace.configure([("clip", 1)])
        func start() async throws -> Running {
            let before = try await workplace.count("SELECT count(*) FROM farm_workers")
            let worker = try workplace.start(["work", "clip"], environment: ["HEARTBEAT_INTERVAL": "3600"])
            try await eventually("it is alive") {
                try await workplace.count("SELECT count(*) FROM farm_workers") > before
            }
            return worker
        }
        let first = try await start()
        #expect(try await queue("queue_clip", workplace)["workers"]?.integerValue == 1)
        first.signal(SIGKILL)
        _ = try await first.finished()
        try await workplace.submit(1, to: "clip")
        let left = try await queue("queue_clip", workplace)
        #expect(left["workers"]?.integerValue == 0)
        #expect(left["why"] == "no worker")
        let second = try await start()
        #expect(try await queue("queue_clip", workplace)["workers"]?.integerValue == 1)
        second.signal(SIGTERM)
        _ = try await second.finished()
    }

    @Test("a service that answers everything with an error buries nothing; once it is mended all is done")
    func errorsInARow() async throws {
        let work = try Workplace()
        let broken = try await ServiceDoubles.misbehaving(["clip"], in: work)
        try work.configure(broken.ports)
        try work.photos((1...8).map { "photos/\($0)/error.jpg" })
        #expect(try await work.farm("import", "photos").status == 0)
        #expect(try await work.farm("produce", "-s", "clip").status == 0)
        let up = try work.start(["up"], environment: Scene.impatient)
        try await eventually("it is seen") {
            guard up.isRunning else { return true }
            return try await queue("queue_clip", work)["why"]?.stringValue?
                .contains("fails for one job after another: out of memory") == true
        }
        #expect(up.error.contains("out of memory; its jobs stay in the queue"), "\(up.error)")
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        #expect(try await work.rows("SELECT * FROM results").isEmpty)
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 8)
        try await broken.stop()

        let mended = try await ServiceDoubles.start(["clip"], in: work)
        try work.configure(mended.ports)
        let idle = try await work.farm("up", "--until-idle", environment: Scene.impatient)
        #expect(idle.status == 0, "\(idle.error)")
        #expect(try await work.count("SELECT count(*) FROM results WHERE status = 'success'") == 8)
        #expect(try await work.count("SELECT count(*) FROM farm_dead") == 0)
        try await mended.stop()
    }

    @Test("one picture that its service always fails ends with its row, also where it is the only one")
    func onlyBadPicture() async throws {
        let work = try Workplace()
        let doubles = try await ServiceDoubles.misbehaving(["clip"], in: work)
        try work.configure(doubles.ports)
        try work.photos(["photos/error.jpg"])
        let run = try await work.farm("run", "photos", environment: Scene.impatient)
        #expect(run.status == 1)
        #expect(run.error.contains("1 job of clip failed (service_error)"), "\(run.error)")
        #expect(try await work.rows("SELECT reason, tries FROM farm_dead") == ["service_error|2"])
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        try await doubles.stop()
    }

    @Test("check warns of what died within the last hour; dead --fail-on makes it an exit code")
    func deadOfLate() async throws {
        let work = try await Workplace.prepared(images: 3)
        try await work.bury(3, died: "strftime('%Y-%m-%d %H:%M:%f', 'now', '-2 hours')")
        #expect(try await !work.farm("check").output.contains("queue_clip.dead"))
        #expect(try await work.farm("dead", "--fail-on", "3").status == 1)
        #expect(try await work.farm("dead", "list", "--fail-on", "3", "--json").json().arrayValue?.count == 3)
        #expect(try await work.farm("dead", "--fail-on", "4").status == 0)
        #expect(try await work.farm("dead", "--newer-than", "1h", "--fail-on", "1").status == 0)
        #expect(try await work.farm("dead", "--fail-on", "0").status == 2)
        #expect(try await work.farm("dead", "--fail-on", "4", "--limit", "3").status == 2)
        try await work.bury(2, reason: "service_error", died: "strftime('%Y-%m-%d %H:%M:%f', 'now')")
        let check = try await work.farm("check")
        #expect(
            check.output.contains(
                "warning queue_clip.dead: 2 jobs died in the last hour, the last one: service_error: no answer: see "
                    + "farm dead --queue queue_clip --newer-than 1h"), "\(check.output)")
        #expect(try await work.farm("dead", "--newer-than", "1h", "--fail-on", "1").status == 1)
        #expect(try await work.deadCount() == 5, "looking takes nothing away")
    }
}

@Suite("Crop services that a machine does not name")
struct AbsentCropServiceTests {
    @Test("are off where it names another one: a run is done without them")
    func off() async throws {
        let scene = try await Scene(["yolov8", "rtdetr", "clip", "colors"], photos: 1)
        let run = try await scene.workplace.farm("run", "photos", environment: Scene.impatient)
        #expect(run.status == 0, "\(run.error)")
        #expect(run.error.contains("crops are not sent to face, pose: service_config.json"), "\(run.error)")
        #expect(try await scene.workplace.rows("SELECT DISTINCT service FROM postprocessing") == ["colors"])
        try await scene.doubles.stop()
    }

    @Test("are looked for where it names none; the warning says the way out, and that ends it")
    func lookedFor() async throws {
        let scene = try await Scene(["yolov8", "rtdetr", "clip"], photos: 1)
        let work = scene.workplace
        let run = try await work.farm("run", "photos", environment: Scene.impatient)
        #expect(run.status == 1)
        #expect(run.error.contains("boxes without colors"), "\(run.error)")
        #expect(run.error.occurrences(of: "\"enrichment\": [] for none") >= 2, "\(run.error)")
        let named = try String(contentsOfFile: work.path("service_config.json"), encoding: .utf8)
        try work.write(
            "service_config.json",
            named.replacing("{\"services\"", with: "{\"enrichment\":[],\"services\"", maxReplacements: 1))
        let again = try await work.farm("run", "photos", environment: Scene.impatient)
        #expect(again.status == 0, "\(again.error)")
        #expect(again.error.contains("crops are not sent to colors, face, pose"))
        let check = try await work.farm("check")
        #expect(!check.output.contains("colors at"), "\(check.output)")
        try await scene.doubles.stop()
    }
}
