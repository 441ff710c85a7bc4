import Foundation
import Model
import Testing

@Suite("farm dead")
struct DeadTests {
    private func reasons(_ list: Finished) throws -> [String] {
        try list.json().arrayValue?.compactMap { $0["reason"]?.stringValue } ?? []
    }

    @Test("a job that failed for good is listed, requeued as a new job and done; what became of it is kept")
    func roundTrip() async throws {
        let scene = try await Scene(["clip", "colors", "face", "pose"], photos: 2, failing: [("clip", "1.jpg")])
        let workplace = scene.workplace
        try await scene.produce()
        #expect(try await scene.upUntilIdle().status == 1)
        let list = try await workplace.farm("dead", "--json")
        #expect(list.status == 0, "\(list.error)")
        #expect(list.error.isEmpty)
        let letter = try #require(try list.json().arrayValue?.first)
        #expect(
            letter.keys == [
                "queue", "service", "image_id", "job_id", "reason", "message", "tries", "worker_id", "first_failure",
                "dead_since",
            ])
        let image = try await workplace.count("SELECT image_id FROM images WHERE image_filename = '1.jpg'")
        let job = try #require(
            try await workplace.rows("SELECT job_id FROM results WHERE status = 'error'").first)
        #expect(letter["queue"]?.stringValue == "queue_clip")
        #expect(letter["service"]?.stringValue == "clip")
        #expect(letter["image_id"]?.integerValue == image)
        #expect(letter["job_id"]?.stringValue == job)
        #expect(letter["reason"]?.stringValue == "http")
        #expect(letter["message"]?.stringValue?.contains("500") == true)
        #expect(letter["tries"]?.integerValue == 3)
        #expect(letter["worker_id"]?.stringValue?.contains("clip") == true)
        #expect(letter["dead_since"]?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)

        // It fails again: a death more in its history.
        let requeued = try await workplace.farm("dead", "requeue", "--service", "clip")
        #expect(requeued.status == 0)
        #expect(requeued.output == "1 dead letter requeued: 1 http\n")
        #expect(try await workplace.deadCount() == 0)
        #expect(try await scene.upUntilIdle().status == 1)
        let show = try await workplace.farm("dead", "show", "--image", "1.jpg", "--json")
        let second = try #require(try show.json().arrayValue?.first)
        #expect(second["tries"]?.integerValue == 3, "counted anew")
        #expect(second["job_id"]?.stringValue != job)
        #expect(second["first_job_id"]?.stringValue == job)
        #expect(second["history"]?.arrayValue?.map { $0["job_id"]?.stringValue } == [job])
        let text = try await workplace.farm("dead", "show", "--image", "1.jpg")
        #expect(text.output.contains("died before"))
        #expect(text.output.contains("first job      \(job)"))

        // The service is mended.
        try await scene.doubles.stop()
        let mended = try await ServiceDoubles.start(["clip", "colors", "face", "pose"], in: workplace)
        try workplace.configure(mended.ports)
        #expect(try await workplace.farm("dead", "requeue").status == 0)
        #expect(try await scene.upUntilIdle().status == 0)
        #expect(try await workplace.deadCount() == 0)
        #expect(
            try await workplace.rows(
                "SELECT status FROM results WHERE service = 'clip' AND image_id = \(image) ORDER BY result_id")
                == ["error", "error", "success"])
        try await mended.stop()
    }

    @Test("list has a line for each, and their number by reason")
    func list() async throws {
        let workplace = try await Workplace.prepared()
        try await workplace.bury(2)
        try await workplace.bury(1, of: "blip", reason: "http")
        try await workplace.bury("{", in: "queue_consensus")
        let list = try await workplace.farm("dead")
        #expect(list.status == 0)
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines[0].contains(/queue +reason +image +tries +dead since \(UTC\) +message/))
        #expect(lines.contains { $0.contains(/queue_blip +http +1 +3 +\S+Z +no answer/) })
        #expect(
            lines.contains { $0.contains(/queue_consensus +bad_message +- +0 +2026-01-02T03:04:06.000Z +not JSON/) })
        #expect(list.error == "farm: 4 dead letters: 2 timeout, 1 bad_message, 1 http\n")
        let none = try await workplace.farm("dead", "--reason", "nothing")
        #expect(none.status == 0)
        #expect(none.output.isEmpty)
        #expect(none.error == "farm: 0 dead letters\n")
        #expect(try await workplace.farm("dead", "--reason", "nothing", "--json").json() == .array([]))
        let unknown = try await workplace.farm("dead", "--queue", "queue_clop,queue_clip")
        #expect(unknown.status == 0, "it may be another machine's")
        #expect(unknown.error.contains("warning: queue_clop: no queue that is known here; known are "))
    }

    @Test(
        "filters: queue, service, reason, image, age, limit, and all of them at once",
        arguments: [
            (["--queue", "queue_clip"], 4), (["--queue", "queue_clip.dead,queue_blip"], 6),
            (["--service", "blip,consensus"], 3), (["--service", "clip", "--queue", "queue_blip"], 0),
            (["--reason", "http"], 2), (["--reason", "http,bad_message"], 3), (["--image", "1"], 3),
            (["--image", "2", "3"], 3), (["--image", "1.jpg"], 3), (["--older-than", "30m"], 5),
            (["--newer-than", "30m"], 2), (["--newer-than", "2h"], 6),
            (["--older-than", "30m", "--newer-than", "7d"], 4), (["--limit", "3"], 3),
            (["--service", "clip", "--reason", "timeout", "--image", "1", "--older-than", "1m", "--limit", "9"], 1),
            (["--image", "77"], 0),
        ] as [([String], Int)])
    func filters(_ arguments: [String], _ count: Int) async throws {
        let workplace = try await Workplace.prepared(images: 4)
        try await workplace.bury(4)
        try await workplace.bury(
            2, of: "blip", reason: "http", died: "strftime('%Y-%m-%d %H:%M:%f', 'now', '-10 minutes')")
        try await workplace.bury(#"{"image_id":1,"service":"clip"}"#, in: "queue_consensus")
        let list = try await workplace.farm(["dead", "list", "--json"] + arguments)
        #expect(list.status == 0, "\(list.error)")
        #expect(try reasons(list).count == count)
        let dry = try await workplace.farm(["dead", "requeue", "--dry-run", "--json"] + arguments)
        #expect(try dry.json()["requeued"]?.integerValue == count)
        #expect(try dry.json()["dry_run"]?.boolValue == true)
        #expect(try await workplace.deadCount() == 7, "nothing is changed")
        #expect(try await workplace.waiting().isEmpty)
        let drop = try await workplace.farm(["dead", "drop", "--yes"] + arguments)
        #expect(drop.status == 0)
        #expect(drop.output.hasPrefix("\(count) dead letter"))
        #expect(try await workplace.deadCount() == 7 - count)
        #expect(try await workplace.waiting().isEmpty)
    }

    @Test("show prints the message itself, and nothing in it reaches the terminal")
    func show() async throws {
        let workplace = try await Workplace.prepared()
        try await workplace.bury("\u{1B}[2J\u{0}\u{202E}{é\n", in: "queue_clip")
        _ = try await workplace.rows(
            """
            UPDATE farm_dead SET message = 'a' || char(27) || 'b', body = x'1b5b324a00e280ae7bc3a90aff',
            reason = 'bad' || char(10)
            """)
        let show = try await workplace.farm("dead", "show")
        #expect(show.status == 0)
        #expect(show.output.contains(#"queue_clip: bad\n: a\u001bb"#))
        #expect(show.output.contains(#"body           \u001b[2J\u0000\u202e{é\n\xff"#))
        for arguments in [["dead"], ["dead", "requeue", "--dry-run"]] {
            let finished = try await workplace.farm(arguments)
            #expect(!(finished.output + finished.error).contains("\u{1B}"))
        }
        let json = try #require(try await workplace.farm("dead", "show", "--json").json().arrayValue?.first)
        #expect(json["message"]?.stringValue == "a\u{1B}b")
        #expect(json["body"]?.stringValue == #"\u001b[2J\u0000\u202e{é\n\xff"#)
        #expect(json["job_id"] == .null)
    }

    @Test("what is no job, and a trigger, is requeued as it came")
    func noJobs() async throws {
        let workplace = try await Workplace.prepared()
        try await workplace.bury("{", in: "queue_clip")
        try await workplace.bury(#"{"image_id":7}"#, in: "queue_bbox_merge", reason: "unknown_image")
        let requeued = try await workplace.farm("dead", "requeue", "--json")
        #expect(try requeued.json()["requeued"]?.integerValue == 2)
        #expect(
            try await workplace.rows("SELECT queue, CAST(body AS TEXT) FROM farm_queue ORDER BY queue")
                == [#"queue_bbox_merge|{"image_id":7}"#, "queue_clip|{"])
    }

    @Test("drop asks: elsewhere than on a terminal it needs --yes")
    func confirmation() async throws {
        let workplace = try await Workplace.prepared()
        try await workplace.bury(2)
        let refused = try await workplace.farm("dead", "drop")
        #expect(refused.status == 2)
        #expect(refused.error.contains("--yes"))
        let declined = try await workplace.farm("dead drop", typing: "n\\n")
        #expect(declined.status == 1)
        #expect(declined.output.contains("Drop 2 dead letters: 2 timeout, for good? [y/N]"))
        #expect(try await workplace.deadCount() == 2)
        let agreed = try await workplace.farm("dead drop --limit 1", typing: "yes\\n")
        #expect(agreed.status == 0, "\(agreed.output)")
        #expect(agreed.output.contains("1 dead letter dropped: 1 timeout"))
        #expect(try await workplace.deadCount() == 1)
    }

    @Test(
        "a requeue that is killed or interrupted loses nothing and does nothing twice; run again, it does the rest",
        arguments: [SIGKILL, SIGINT])
    func stopped(by signal: Int32) async throws {
        let workplace = try await Workplace.prepared()
        let count = 20_000
        try await workplace.bury(count)
        // However slow the machine, the batch in hand is done before it ends.
        let requeue = try workplace.start(["dead", "requeue"], environment: ["SHUTDOWN_TIMEOUT": "250"])
        try await eventually("some are requeued") { try await !workplace.waiting().isEmpty || !requeue.isRunning }
        requeue.signal(signal)
        let stopped = try await requeue.finished()
        let left = try await workplace.deadCount()
        #expect(try await workplace.waiting() == ["queue_clip|\(count - left)"])
        // Were this process held up for seconds, all would be requeued by now.
        if signal == SIGINT, left > 0 {
            #expect(stopped.status == 130)
            #expect(stopped.error.contains("run it again for the rest"))
            #expect(stopped.output.hasPrefix("\(count - left) dead letters requeued"))
        }
        let rest = try await workplace.farm("dead", "requeue", "--json")
        #expect(try rest.json()["requeued"]?.integerValue == left)
        #expect(
            try await workplace.count(
                "SELECT count(DISTINCT json_extract(headers, '$.x-farm-first-job')) FROM farm_queue")
                == count)
        #expect(try await workplace.deadCount() == 0)
    }

    @Test("a requeue on RabbitMQ that is interrupted loses nothing and does nothing twice; run again, it does the rest")
    func interruptedOnBroker() async throws {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([("clip", 9)], roles: false)
        try site.write(workplace)
        let neighbour = Neighbour(workplace: workplace)
        let count = 5_000
        let ids = (1...count).map { String(format: "%08x-0000-4000-8000-000000000000", $0) }
        try await neighbour.publish(
            ids.map { (queue: "queue_clip.dead", body: #"{"image_id": 7, "job_id": "\#($0)"}"#) })
        let requeue = try workplace.start(["dead", "requeue"])
        try await eventually("some are requeued") {
            try await site.ready(in: "queue_clip") > 0 || !requeue.isRunning
        }
        requeue.signal(SIGINT)
        let stopped = try await requeue.finished()
        let left = try await site.ready(in: "queue_clip.dead")
        // Were this process held up for seconds, all would be requeued by now.
        if left > 0 {
            #expect(stopped.status == 130)
            #expect(stopped.error.contains("run it again for the rest"))
        }
        #expect(try await site.messages() == count)
        #expect(stopped.output.hasPrefix("\(count - left) dead letters requeued"))
        let rest = try await workplace.farm("dead", "requeue", "--json")
        #expect(try rest.json()["requeued"]?.integerValue == left)
        let jobs = try await neighbour.take(from: "queue_clip")
        #expect(jobs.count == count)
        #expect(Set(jobs.compactMap { $0["headers"]?["x-farm-first-job"]?.stringValue }) == Set(ids))
        #expect(try await site.ready(in: "queue_clip.dead") == 0)
        await site.remove()
    }

    @Test(
        "unusable arguments are refused",
        arguments: [
            (["--service", "nothing"], "spatial_enrichment"), (["--limit", "0"], "--limit"),
            (["--older-than", "3x"], "30m"), (["--older-than", "2h", "--newer-than", "1h"], "--older-than"),
        ] as [([String], String)])
    func unusable(_ arguments: [String], _ hint: String) async throws {
        let workplace = try await Workplace.prepared()
        for verb in ["list", "show", "requeue", "drop"] {
            let finished = try await workplace.farm(["dead", verb] + (verb == "drop" ? ["--yes"] : []) + arguments)
            #expect(finished.status == 2)
            #expect(finished.output.isEmpty)
            #expect(finished.error.contains(hint))
        }
        let image = try await workplace.farm("dead", "--image", "nowhere.jpg")
        #expect(image.status == 1)
        #expect(image.error.contains("nowhere.jpg"))
    }
}
