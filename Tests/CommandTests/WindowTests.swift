import Foundation
import Model
import Testing

@Suite("farm produce --window", .serialized)
struct WindowTests {
    /// Photos in two groups, and two services.
    private func scene(_ photos: Int, gate: Bool = false) async throws -> Scene {
        let scene = try await Scene(["clip", "ocr"], photos: 0, gate: gate)
        try scene.workplace.photos((1...photos).map { "\($0 % 2 == 0 ? "even" : "odd")/\($0).jpg" })
        return scene
    }

    private func importGroups(_ work: Workplace) async throws {
        for group in ["even", "odd"] {
            let imported = try await work.farm("import", group, "--group", group)
            try #require(imported.status == 0, "\(imported.error)")
        }
    }

    @Test(
        "killed again and again while workers work, each job is done once and the window holds",
        arguments: [false, true])
    func killed(onServers: Bool) async throws {
        var moments = Moments("produce --window killed")
        let scene = try await scene(80)
        let (work, window) = (scene.workplace, 5)
        let site = onServers ? try await Site() : nil
        try site?.write(work)
        try await importGroups(work)
        func ready(_ queue: String) async throws -> Int {
            if let site { return try await site.ready(in: queue) }
            return try await work.count(
                "SELECT count(*) FROM farm_queue WHERE queue = '\(queue)' AND holder IS NULL")
        }
        func count(_ sql: String) async throws -> Int {
            guard let site else { return try await work.count(sql) }
            return try #require(try await site.query(sql).first?.first.flatMap { Int($0) })
        }
        let up = try work.start(["up"])
        let produce = ["produce", "--window", "\(window)", "-g", "even", "-g", "odd"]
        for _ in 1...6 {
            let running = try work.start(produce)
            // The moment is what is tested: any will do, and nobody marks it.
            try await Task.sleep(for: .seconds(moments.next(0.05...0.8)))
            running.signal(SIGSTOP)
            for queue in ["queue_clip", "queue_ocr"] { #expect(try await ready(queue) <= window) }
            running.signal(SIGKILL)
            _ = try await running.finished()
        }
        let last = try await work.farm(produce + ["--wait", "--json"])
        #expect(last.status == 0, "\(last.error)")
        #expect(try last.json()["complete"] == true)
        #expect(try last.json()["images"]?.integerValue == 80)
        #expect(try await count("SELECT count(*) FROM results WHERE status = 'success'") == 160)
        let pairs = "SELECT count(*) FROM (SELECT DISTINCT image_id, service FROM results) AS pairs"
        #expect(try await count(pairs) == 160)
        for service in ["clip", "ocr"] { #expect(try await scene.doubles.calls(of: service).answered == 80) }
        let again = try await work.farm(produce + ["--json"])
        #expect(try again.json()["jobs"] == 0)
        #expect(try again.json()["complete"] == true)
        #expect(again.error.contains("--restart"))
        up.signal(SIGTERM)
        _ = try await up.finished()
        try await scene.doubles.stop()
        await site?.remove()
    }

    @Test("with nobody at work, a run that was killed submits no message twice", arguments: [false, true])
    func nobody(onServers: Bool) async throws {
        var moments = Moments("produce --window with nobody at work")
        let scene = try await scene(60)
        let work = scene.workplace
        let site = onServers ? try await Site() : nil
        try site?.write(work)
        try await importGroups(work)
        for _ in 1...5 {
            let running = try work.start(["produce", "--window", "1000"])
            // The moment is what is tested: any will do, and nobody marks it.
            try await Task.sleep(for: .seconds(moments.next(0.02...0.4)))
            running.signal(SIGKILL)
            _ = try await running.finished()
        }
        let last = try await work.farm("produce", "--window", "1000", "--json")
        #expect(last.status == 0, "\(last.error)")
        #expect(try last.json()["images"] == 60)
        #expect(try last.json()["complete"] == true)
        if let site {
            #expect(try await site.messages() == 120)
        } else {
            #expect(try await work.count("SELECT count(*) FROM farm_queue") == 120)
        }
        try await scene.doubles.stop()
        await site?.remove()
    }

    @Test("a paused service is named and holds up no other; Ctrl-C ends it, and it goes on afterwards")
    func paused() async throws {
        let scene = try await scene(30)
        let work = scene.workplace
        try await importGroups(work)
        #expect(try await work.farm("pause", "ocr", "--by", "anna").status == 0)
        let up = try work.start(["up"])
        let running = try work.start(["produce", "--window", "4"])
        try await eventually("clip is done, and the pause is told") {
            try await work.count("SELECT count(*) FROM results WHERE service = 'clip'") == 30
                && running.error.contains("queue_ocr is full and nothing is taken: paused by anna")
        }
        #expect(try await work.count("SELECT count(*) FROM farm_queue WHERE queue = 'queue_ocr'") == 4)
        running.signal(SIGINT)
        let finished = try await running.finished()
        #expect(finished.status == 130)
        #expect(finished.output.contains("34 jobs submitted"))
        #expect(finished.error.contains("the same command submits the rest"))
        #expect(try await work.count("SELECT count(*) FROM farm_submissions WHERE after_id <> claimed_id") == 0)
        #expect(try await work.farm("resume", "ocr", "--by", "anna").status == 0)
        let last = try await work.farm("produce", "--window", "4", "--wait")
        #expect(last.status == 0, "\(last.error)")
        #expect(last.error.contains("going on where an earlier run has ended: 34 jobs"))
        #expect(try await work.count("SELECT count(*) FROM results WHERE service = 'ocr'") == 30)
        up.signal(SIGTERM)
        _ = try await up.finished()
        try await scene.doubles.stop()
    }

    @Test("a window that is none, a restart without one, and groups without one are refused, and nothing is submitted")
    func refused() async throws {
        let work = try Workplace()
        try work.configure([("clip", 1)])
        try work.photos(["photos/1.jpg"])
        #expect(try await work.farm("import", "photos", "--group", "g").status == 0)
        for (arguments, message) in [
            (["--window", "0"], "--window must be at least 1, is 0"),
            (["--window", "-5"], "--window must be at least 1, is -5"), (["--window", "many"], "--window"),
            (["--restart"], "--restart goes with --window"), (["-g", "a", "-g", "b"], "add --window"),
            (["--window", "5", "-g", ""], "--group"),
        ] {
            let refused = try await work.farm(["produce"] + arguments)
            #expect(refused.status == 2)
            #expect(refused.error.contains(message), "\(refused.error)")
        }
        let nobody = try await work.farm("produce", "--window", "5", "-g", "g", "-g", "nobody")
        #expect(nobody.status == 1 && nobody.error.contains("nobody"))
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        #expect(try await work.count("SELECT count(*) FROM farm_submissions") == 0)
        let dry = try await work.farm("produce", "--window", "5", "--dry-run", "--json")
        #expect(try dry.json()["jobs"] == 1)
        #expect(try dry.json()["window"] == 5)
        #expect(try await work.count("SELECT count(*) FROM farm_submissions") == 0)
    }
}
