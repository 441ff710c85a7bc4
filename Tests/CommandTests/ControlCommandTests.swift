import Foundation
import Model
import Testing

@Suite("farm pause, resume and limit")
struct ControlCommandTests {
    private static let set = """
        SELECT service, paused, coalesce(rate_limit, 'none'), coalesce(concurrency, 'none'), set_by FROM farm_control
        ORDER BY service
        """

    private func queue(_ name: String, _ workplace: Workplace) async throws -> JSON {
        let status = try await workplace.farm("status", "--json").json()
        return try #require(status["queues"]?.arrayValue?.first { $0["queue"]?.stringValue == name })
    }

    // MARK: With workers

    @Test(
        "a worker ends what it has begun, takes nothing while its service is paused, also after a restart, and goes on")
    func worker() async throws {
        let scene = try await Scene(["clip"], photos: 6, gate: true)
        let work = scene.workplace
        #expect(try await work.farm("produce", "-s", "clip").status == 0)
        let worker = try work.start(["work", "clip", "--concurrency", "2"], environment: Scene.impatient)
        // Jobs that are taken and not begun would go back.
        try await eventually("two calls are in flight") { try await scene.doubles.calls(of: "clip").begun == 2 }
        let pause = try await work.farm("pause", "clip", "--by", "night", "--reason", "new model")
        #expect(pause.status == 0, "\(pause.error)")
        #expect(pause.output == "clip: paused by night: new model\n")
        try await eventually("the worker obeys") { try await queue("queue_clip", work)["obeying"] == 1 }
        #expect(try await queue("queue_clip", work)["in_flight"] == 2, "what was begun goes on")
        try scene.openGate()
        try await eventually("what was begun ends") { try await queue("queue_clip", work)["in_flight"] == 0 }
        let paused = try await queue("queue_clip", work)
        #expect(paused["waiting"] == 4)
        #expect(paused["paused"] == true && paused["paused_by"] == "night" && paused["pause_reason"] == "new model")
        #expect(paused["why"] == "paused by night: new model")
        #expect(paused["eta_seconds"] == .null)
        let status = try await work.farm("status")
        #expect(status.output.contains(/queue_clip +4 +0 .* paused by night: new model/), "\(status.output)")
        let check = try await work.farm("check")
        #expect(
            check.output.contains(
                "warning queue_clip: 4 wait and none is taken: paused by night: new model; farm resume clip ends it"),
            "\(check.output)")
        // Its heartbeats go on meanwhile.
        let monitor = try await work.farm("monitor", "--json").json()
        #expect(monitor["dead_workers"]?.arrayValue?.isEmpty == true)
        worker.signal(SIGTERM)
        #expect(try await worker.finished().status == 0)
        let next = try work.start(["work", "clip"], environment: Scene.impatient)
        try await eventually("the next one obeys") { try await queue("queue_clip", work)["obeying"] == 1 }
        #expect(try await work.count("SELECT count(*) FROM results") == 2)
        let resumed = try await work.farm("resume", "clip", "--by", "night")
        #expect(resumed.output == "clip: resumed\n")
        try await eventually("all are done") { try await work.count("SELECT count(*) FROM results") == 6 }
        next.signal(SIGTERM)
        let end = try await next.finished()
        #expect(end.status == 0)
        #expect(end.error.contains("clip is paused by night: new model"), "\(end.error)")
        #expect(end.error.contains("clip is paused no longer"))
        #expect(try await work.count("SELECT count(*) FROM farm_dead") == 0)
        try await scene.doubles.stop()
    }

    @Test("who waits for the jobs is told that they are paused, and not that nobody is alive")
    func waiting() async throws {
        let scene = try await Scene(["clip"], photos: 2)
        let work = scene.workplace
        #expect(try await work.farm("pause", "clip,consensus", "--for", "2h").status == 0)
        let up = try work.start(["up"], environment: Scene.impatient)
        let produce = try work.start(["produce", "-s", "clip", "--wait"])
        try await eventually("it is told") { produce.error.contains("clip is paused by ") }
        #expect(produce.error.contains("its work waits until farm resume clip"), "\(produce.error)")
        #expect(try await work.farm("resume", "clip").status == 0)
        try await eventually("so is the role") { produce.error.contains("consensus is paused by ") }
        #expect(!produce.error.contains("nobody is alive"), "\(produce.error)")
        #expect(try await work.farm("resume", "--all").output == "consensus: resumed\n")
        let end = try await produce.finished()
        #expect(end.status == 0, "\(end.error)")
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        try await scene.doubles.stop()
    }

    @Test("a run waits for what is paused, and ends once the pauses have ended by themselves")
    func until() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg"])
        #expect(try await work.farm("pause", "clip", "face").status == 0)
        let run = try work.start(["run", "photos"], environment: Scene.impatient)
        try await eventually("it says what it waits for") {
            run.error.contains("its work waits until farm resume clip")
        }
        #expect(try await work.farm("pause", "clip", "face", "--for", "1s").status == 0)
        let end = try await run.finished()
        #expect(end.status == 0, "\(end.error)")
        #expect(try await work.count("SELECT count(*) FROM farm_missing_enrichments") == 0)
        #expect(try await work.count("SELECT count(*) FROM results WHERE service = 'clip'") == 1)
        try await scene.doubles.stop()
    }

    // MARK: What is set

    @Test("what somebody has paused another one neither replaces nor resumes, unless told to; nothing is changed")
    func others() async throws {
        let work = try await Workplace.prepared(images: 1)
        #expect(try await work.farm("pause", "clip", "--by", "anna", "--reason", "broken").status == 0)
        let before = try await work.rows(ControlCommandTests.set)
        let pause = try await work.farm("pause", "blip", "clip", "--by", "backup")
        #expect(pause.status == 1)
        #expect(pause.error == "farm: clip is paused by anna: broken; --replace puts yours in its place\n")
        let resume = try await work.farm("resume", "clip", "--by", "backup")
        #expect(resume.status == 1)
        #expect(resume.error == "farm: clip is paused by anna: broken; --all resumes it all the same\n")
        #expect(try await work.rows(ControlCommandTests.set) == before)
        let none = try await work.farm("resume", "blip", "--by", "backup")
        #expect(none.status == 0)
        #expect(none.error == "farm: not paused: blip\n")
        #expect(try await work.farm("pause", "clip", "blip", "--by", "backup", "--replace").status == 0)
        #expect(try await work.farm("pause", "blip", "--by", "backup", "--for", "1h").status == 0, "one's own")
        #expect(try await work.farm("resume", "clip", "blip", "--all").output == "clip: resumed\nblip: resumed\n")
        #expect(try await work.farm("resume", "--all").error == "farm: nothing is paused\n")
        // Every act that changed anything has its row.
        #expect(
            try await work.rows("SELECT who, act, count FROM farm_audit ORDER BY audit_id").prefix(3) == [
                "anna|pause|1", "backup|pause|2", "backup|pause|1",
            ])
        #expect(try await work.rows("SELECT filter FROM farm_audit LIMIT 1") == ["clip: paused by anna: broken"])
    }

    @Test("a limit is shown as it was set, is changed alone, and is taken away")
    func limits() async throws {
        let work = try await Workplace.prepared(images: 1)
        try await work.submit(1, to: "clip")
        #expect(try await work.farm("limit", "clip", "5/min").output == "clip: limited to 5/min\n")
        #expect(
            try await work.farm("limit", "clip", "--concurrency", "1").output
                == "clip: limited to 5/min, at most 1 call for each worker\n")
        let shown = try await queue("queue_clip", work)
        let rate = try #require(shown["rate_limit"]?.numberValue)
        #expect(abs(rate - 5.0 / 60) < 1e-9)
        #expect(shown["concurrency"] == 1 && shown["paused"] == false)
        #expect(shown["why"] == "no worker")
        let status = try await work.farm("status")
        #expect(status.output.contains(/queue_clip .* no worker; limited to 5\/min; at most 1 call for each worker/))
        // Who paused it stays known.
        #expect(try await work.farm("pause", "clip", "--by", "anna").status == 0)
        #expect(try await work.farm("limit", "clip", "20/s", "--by", "bert").status == 0)
        #expect(try await work.rows(ControlCommandTests.set) == ["clip|1|20.0|1|anna"])
        #expect(try await work.farm("resume", "clip", "--by", "anna").status == 0)
        let none = try await work.farm("limit", "clip", "none", "--concurrency", "none", "--json")
        let control = try #require(try none.json().arrayValue?.first)
        #expect(control["rate_limit"] == .null && control["concurrency"] == .null && control["revision"] == 6)
        #expect(try await work.farm("limit", "spatial_enrichment", "100/h").output.hasSuffix("limited to 100/h\n"))
    }

    @Test("roles are known by their names and by their commands; times with a zone, without one, and of today")
    func names() async throws {
        let work = try await Workplace.prepared(images: 1)
        let pause = try await work.farm("pause", "merge", "spatial_enrichment", "--until", "2099-01-02 03:04")
        #expect(pause.status == 0, "\(pause.error)")
        #expect(pause.output.contains(/^bbox_merger: paused by \S+@\S+ until 2099-01-02 03:04:00 UTC\n/))
        #expect(pause.output.contains("\nspatial_enrichment: paused"))
        for (text, end) in [
            ("2099-01-02T03:04:05Z", "2099-01-02 03:04:05"), ("2099-01-02 03:04+01:00", "2099-01-02 02:04:00"),
            ("2099-01-02", "2099-01-02 00:00:00"),
        ] {
            let pause = try await work.farm("pause", "consense", "--until", text)
            #expect(pause.output.contains("until \(end) UTC"), "\(text): \(pause.output)\(pause.error)")
        }
        let today = try await work.farm("pause", "consensus", "--until", "12:00")
        #expect(today.output.contains(/until 20\d\d-\d\d-\d\d 12:00:00 UTC/), "\(today.output)\(today.error)")
    }

    // MARK: Bad input

    static let unusableCalls: [([String], String)] = [
        (["pause", "yolo"], "unknown service yolo; known are bbox_merger, blip"),
        (["pause", "clip,yolo", "blip"], "unknown service yolo"), (["resume", "yolo"], "unknown service yolo"),
        (["limit", "yolo", "5/s"], "unknown service yolo"), (["pause", "clip; DROP TABLE images"], "unknown service"),
        (["pause"], "services"), (["resume"], "--all for all that is paused"), (["pause", ""], "no service is named"),
        (["pause", "clip", "--until", "2020-01-01 00:00"], "2020-01-01 00:00:00 UTC has passed"),
        (["pause", "clip", "--until", "soon"], "soon is no time"),
        (["pause", "clip", "--until", "2026-13-40 25:61"], "is no time"),
        (["pause", "clip", "--until", "25:00"], "is no time"),
        (["pause", "clip", "--until", "2099-01-01 00:00", "--for", "2h"], "--until or --for, not both"),
        (["pause", "clip", "--for", "0s"], "--for"), (["pause", "clip", "--for=-1h"], "--for"),
        (["pause", "clip", "--for", "nan"], "--for"), (["pause", "clip", "--for", "1e99h"], "--for"),
        (["pause", "clip", "--by", " "], "--by"),
        (["limit", "clip"], "Give a rate"), (["limit", "clip", "0/s"], "0/s would let nothing pass"),
        (["limit", "clip", "0.0/min"], "would let nothing pass"), (["limit", "clip", "--", "-1/s"], "-1/s is no rate"),
        (["limit", "clip", "-1/s"], "a rate without a sign"), (["limit", "clip", "1e9/s"], "1e9/s is no rate"),
        (["limit", "clip", "1000000000/s"], "out of range"), (["limit", "clip", "0.00000001/h"], "out of range"),
        (["limit", "clip", "nan/s"], "no rate"), (["limit", "clip", "inf/s"], "no rate"),
        (["limit", "clip", "20"], "20 is no rate"), (["limit", "clip", "20/day"], "no rate"),
        (["limit", "clip", "20/s/s"], "no rate"), (["limit", "clip", "/s"], "no rate"),
        (["limit", "clip", "1.2.3/s"], "no rate"), (["limit", "clip", "--concurrency", "0"], "1 to 1000"),
        (["limit", "clip", "--concurrency", "1001"], "1 to 1000"),
        (["limit", "clip", "--concurrency=-1"], "1 to 1000"),
        (["limit", "clip", "--concurrency", "two"], "1 to 1000"),
        (["limit", "clip", "5/s", "--concurrency", "0"], "1 to 1000"),
        (["limit", "consensus", "--concurrency", "2"], "a role makes no calls of its own"),
    ]

    @Test("what makes no sense is refused with a reason, and nothing is changed", arguments: unusableCalls)
    func unusable(_ arguments: [String], _ reason: String) async throws {
        let work = try await Workplace.prepared(images: 1)
        let finished = try await work.farm(arguments)
        #expect(finished.status == 2, "\(finished.output)\(finished.error)")
        #expect(finished.output.isEmpty)
        #expect(finished.error.contains(reason), "\(finished.error)")
        #expect(try await work.count("SELECT count(*) FROM farm_control") == 0)
        #expect(try await work.count("SELECT count(*) FROM farm_audit") == 0)
    }

    @Test("a reason of any kind stays one line, and steers no terminal")
    func hostile() async throws {
        let work = try await Workplace.prepared(images: 1)
        let reason =
            "\u{1b}[31mred\nfarm: clip is fine '; DROP TABLE farm_control; -- 🙂" + String(repeating: "x", count: 5000)
        let pause = try await work.farm("pause", "clip", "--by", "a\tb\n", "--reason", reason)
        #expect(pause.status == 0, "\(pause.error)")
        for text in [pause.output, try await work.farm("status").output] {
            #expect(!text.contains("\u{1b}") && !text.contains("\nfarm:"))
            #expect(text.contains("DROP TABLE farm_control"))
        }
        #expect(pause.output.count < 500)
    }
}
