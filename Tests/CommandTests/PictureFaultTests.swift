import Foundation
import Model
import Testing

@Suite("Picture faults", .serialized)
struct PictureFaultTests {
    private static let services = ["yolov8", "clip", "colors", "face", "pose"]
    private static let quick = ["RETRY_DELAY": "0.1"]

    /// A host of pictures; what the file `mode` says, it does.
    private func pictureHost(_ work: Workplace) async throws -> (port: Int, running: Running) {
        let port = try #require(try ServiceDoubles.freePorts(1).first)
        try work.write("mode", "ok")
        let running = try Running(
            URL(fileURLWithPath: "/usr/bin/python3"),
            [Program.tool("picture_host.py"), "\(port)", work.path("served"), work.path("mode"), work.path("ready")],
            in: work.folder, ["PATH": "/usr/bin:/bin"])
        try await eventually("the host is ready") {
            FileManager.default.fileExists(atPath: work.path("ready")) || !running.isRunning
        }
        try #require(running.isRunning, "\(running.error)")
        return (port, running)
    }

    private func errors(_ work: Workplace) async throws -> Int {
        let results = try await work.count("SELECT count(*) FROM results WHERE status = 'error'")
        return results + (try await work.count("SELECT count(*) FROM postprocessing WHERE status = 'error'"))
    }

    @Test("photos whose mount is away wait, and others pass; when it is back all is done, and no row was an error")
    func unmounted() async throws {
        let scene = try await Scene(PictureFaultTests.services, photos: 0)
        let work = scene.workplace
        try work.photos((1...6).map { "nas/\($0).jpg" } + ["here/1.jpg"])
        #expect(try await work.farm("import", "nas", "here").status == 0)
        // What an unmounted mount point looks like.
        try FileManager.default.moveItem(atPath: work.path("nas"), toPath: work.path("elsewhere"))
        try FileManager.default.createDirectory(atPath: work.path("nas"), withIntermediateDirectories: false)
        try await scene.produce()
        let away = try await work.farm("up", "--until-idle", environment: PictureFaultTests.quick)
        #expect(away.status == 1)
        #expect(away.error.contains("6 jobs of clip still waiting: pictures of "), "\(away.error)")
        #expect(away.error.contains("/nas are away"), "\(away.error)")
        #expect(try await errors(work) == 0)
        #expect(try await work.count("SELECT count(*) FROM farm_dead") == 0)
        #expect(try await work.count("SELECT count(*) FROM results") == 3, "the other photo's")

        try FileManager.default.removeItem(atPath: work.path("nas"))
        try FileManager.default.moveItem(atPath: work.path("elsewhere"), toPath: work.path("nas"))
        let back = try await work.farm("up", "--until-idle", environment: PictureFaultTests.quick)
        #expect(back.status == 0, "\(back.error)")
        #expect(try await errors(work) == 0)
        #expect(try await work.count("SELECT count(*) FROM results") == 7 * 3)
        #expect(try await work.count("SELECT count(*) FROM postprocessing") == 7 * 4)
        try await scene.doubles.stop()
    }

    @Test(
        "pictures that their host does not give once are asked for again",
        arguments: ["503 once", "429 once", "cut once"])
    func moment(_ mode: String) async throws {
        let scene = try await Scene(PictureFaultTests.services, photos: 0)
        let work = scene.workplace
        try work.photos((1...3).map { "served/\($0).jpg" })
        let host = try await pictureHost(work)
        try work.write("mode", mode)
        try work.write("list.csv", "image_url\n" + (1...3).map { "http://127.0.0.1:\(host.port)/\($0).jpg\n" }.joined())
        let run = try await work.farm("run", "list.csv", environment: PictureFaultTests.quick)
        #expect(run.status == 0, "\(run.error)")
        #expect(try await errors(work) == 0)
        #expect(try await work.count("SELECT count(*) FROM postprocessing") == 3 * 4)
        host.running.signal(SIGTERM)
        try await scene.doubles.stop()
    }

    @Test(
        "while a host says 503 to everything its boxes are noted, not failed; final faults are told, listed, asked again"
    )
    func hostDown() async throws {
        let scene = try await Scene(PictureFaultTests.services, photos: 0)
        let work = scene.workplace
        try work.photos((1...7).map { "served/\($0).jpg" })
        let host = try await pictureHost(work)
        try work.write("mode", "503")
        // Five in a row are the host's fault: none has used up its tries before, however slow this machine is.
        let urls = (1...8).map { "http://127.0.0.1:\(host.port)/\($0).jpg\n" }
        try work.write("list.csv", "image_url\n" + urls.joined())
        let down = try await work.farm("run", "list.csv", environment: ["RETRY_DELAY": "5"])
        #expect(down.status == 1)
        #expect(down.error.contains("boxes without pictures of http://127.0.0.1:\(host.port): "), "\(down.error)")
        #expect(try await errors(work) == 0)

        // The eighth picture does not exist.
        try work.write("mode", "ok")
        let up = try await work.farm("up", "--until-idle", environment: PictureFaultTests.quick)
        #expect(up.status == 1)
        #expect(up.error.contains("2 boxes without colors (image): image 8: "), "\(up.error)")
        #expect(up.error.contains("answered 404"))
        #expect(try await work.count("SELECT count(*) FROM postprocessing WHERE status = 'success'") == 7 * 4)
        let status = try await work.farm("status")
        #expect(status.output.contains("enrichments: 32, failed: 4"), "\(status.output)")
        let totals = try await work.farm("status", "--json").json()["totals"]
        #expect(totals?["postprocessing_failed"]?.integerValue == 4)
        let shown = try await work.farm("show", "8")
        #expect(shown.output.contains(/person_1 +face +image: .*answered 404/), "\(shown.output)")

        #expect(try await work.farm("up", "--until-idle").status == 0, "it is told once")
        let again = try await work.farm("enrich", "--image", "8", environment: PictureFaultTests.quick)
        #expect(again.status == 1)
        #expect(again.output.contains("1 image recomputed; 4 asked again, 4 failed"), "\(again.output)")
        try work.photos(["served/8.jpg"])
        let mended = try await work.farm("enrich", "--all", environment: PictureFaultTests.quick)
        #expect(mended.status == 0, "\(mended.error)")
        #expect(mended.output.contains("8 images recomputed; 4 asked again, 0 failed"), "\(mended.output)")
        host.running.signal(SIGTERM)
        try await scene.doubles.stop()
    }

    @Test("what has failed for good is not submitted again by --resume and run, which say so; --failed does it")
    func finalErrors() async throws {
        let scene = try await Scene(["clip", "colors"], photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg", "photos/2.jpg"])
        #expect(try await work.farm("import", "photos").status == 0)
        try FileManager.default.removeItem(atPath: work.path("photos/2.jpg"))
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 1)
        #expect(up.error.contains("1 job of clip failed (image): image 2: "), "\(up.error)")

        let resumed = try await work.farm("produce", "--resume", "--json")
        #expect(try resumed.json()["jobs"]?.integerValue == 0)
        #expect(try resumed.json()["skipped_failed"]?.integerValue == 2)
        #expect(resumed.error.contains("2 jobs not submitted that have failed for good (clip 1, colors 1); --failed"))
        try work.photo("coffee_exif_gps.jpg", as: "photos/2.jpg")
        let run = try await work.farm("run", "photos", environment: Scene.impatient)
        #expect(run.status == 0, "\(run.error)")
        #expect(run.error.contains("2 jobs not submitted that have failed for good"), "\(run.error)")
        let failed = try await work.farm("produce", "--resume", "--failed", "--json")
        #expect(try failed.json()["jobs"]?.integerValue == 2)
        #expect(try await scene.upUntilIdle().status == 0)
        #expect(try await work.farm("produce", "--failed").status == 2, "--failed goes with --resume")
        try await scene.doubles.stop()
    }
}
