import Foundation
import Model
import Testing

/// The recipes of docs/operating.md, as they stand there. Those for backups are in BackupTests.
@Suite("Every day, as docs/operating.md has it")
struct EveryDayTests {
    @Test("each recipe of the page is one that a test runs")
    func recipes() throws {
        let titles = try Document(Recipe.page).titles(below: Recipe.section)
        #expect(titles == Recipe.allCases.map(\.rawValue))
    }

    enum Place: CaseIterable { case embedded, servers }

    @Test(
        "every night what is new is submitted once, beside a broken photo and while a service is down",
        arguments: Place.allCases)
    func nightly(_ place: Place) async throws {
        let blocks = try Recipe.nightly.blocks(2)
        let site = place == .servers ? try await Site() : nil
        let scene = try await Scene(photos: 0, absent: ["ocr"])
        let work = scene.workplace
        let box = try DailyBox(work)
        try site?.write(work)
        let folder = work.folder.path
        try work.write(
            "nightly.sh", DailyBox.moved(blocks[0], ["/var/lib/farm": folder, "/srv/photos": "\(folder)/srv/photos"]))
        try work.photos(["srv/photos/1.jpg", "srv/photos/2.jpg"])
        let whole = try Data(contentsOf: URL(fileURLWithPath: work.path("srv/photos/1.jpg")))
        try whole.prefix(5000).write(to: URL(fileURLWithPath: work.path("srv/photos/broken.jpg")))

        func night() async throws -> Finished {
            let ends = try await box.cron(blocks[1])
            try #require(ends.count == 1)
            #expect(ends[0].status == 0, "\(ends[0].error)")
            return ends[0]
        }
        let first = try await night()
        #expect(first.output.contains("2 added, 0 there already, 1 refused"))
        #expect(first.output.contains("\(2 * (Scene.primary + 1)) jobs submitted: 2 images"))
        #expect(first.error.contains("broken.jpg"))
        let idle = try await night()
        #expect(!idle.output.contains("submitted"), "nobody has worked: all of it waits already")

        let up = try await scene.upUntilIdle()
        #expect(up.status == 1, "ocr is down: \(up.error)")
        try work.photos(["srv/photos/3.jpg"])
        let third = try await night()
        #expect(third.output.contains("\(Scene.primary) jobs submitted: 1 image × "))
        #expect(try await box.waiting("ocr") == 2, "no second time, however many nights it is down")
        #expect(try await box.waiting("clip") == 1)
        try await scene.doubles.stop()
        await site?.remove()
    }

    @Test("a service rests without losing a job while others work, and goes on; so does a role")
    func rest() async throws {
        let blocks = try Recipe.rest.blocks(4)
        let scene = try await Scene(photos: 4)
        let work = scene.workplace
        let box = try DailyBox(work)
        try await box.start()
        // Everywhere, then on this machine.
        for (name, submits, way) in [
            ("clip", "clip,yolov8", 0), ("consensus", "clip", 0), ("clip", "clip,yolov8", 2), ("consensus", "clip", 2),
        ] {
            let before = try await work.count("SELECT count(*) FROM results")
            let moves: KeyValuePairs<String, String> =
                way == 0 ? [" clip": " \(name)"] : [".clip.": ".\(name)."]
            try await box.paste(DailyBox.moved(blocks[way], moves))
            try await eventually("\(name) rests") {
                way == 0 ? try await box.obeys(name) : try await work.rows(lastBeat(of: name)) == ["stopping"]
            }
            #expect(try await work.farm("produce", "--services", submits).status == 0)
            // What comes last of all that others do meanwhile.
            try await eventually("others go on") {
                let rows = try await work.count("SELECT count(*) FROM results")
                let waiting = try await box.waiting(name)
                return rows == before + 4 && waiting >= (name == "clip" ? 4 : 1)
            }
            try await box.paste(DailyBox.moved(blocks[way + 1], moves))
            try await eventually("\(name) goes on") { try await work.waiting().isEmpty }
        }
        #expect(try await work.count("SELECT count(*) FROM results") == 4 * 6)
        #expect(try await work.count("SELECT count(*) FROM results WHERE status <> 'success'") == 0)
        #expect(try await work.deadCount() == 0)
        try await box.stop()
        try await scene.doubles.stop()
    }

    private func lastBeat(of service: String) -> String {
        "SELECT status FROM worker_heartbeats WHERE service_name = '\(service)' ORDER BY id DESC LIMIT 1"
    }

    @Test("a new version takes the place of one that runs, which cp does not manage")
    func upgrade() async throws {
        let blocks = try Recipe.upgrade.blocks(1)
        let scene = try await Scene(photos: 2)
        let work = scene.workplace
        let box = try DailyBox(work)
        let installed = work.path("bin/farm")
        try FileManager.default.removeItem(atPath: installed)
        try FileManager.default.copyItem(atPath: Program.url.path, toPath: installed)
        try await box.start()
        let older = try #require(box.up)

        let copied = try await work.bash("cp \(Program.url.path) bin/farm")
        #expect(copied.error.contains("Text file busy"))
        try await box.paste(blocks[0], [".build/release/farm": Program.url.path, "/usr/local/bin/farm": installed])
        let newer = try #require(box.up)
        #expect(newer != older)
        try await eventually("it is the one that was installed") {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(newer)/exe")) == installed
        }
        try await scene.produce()
        try await eventually("the new one works") {
            try await work.count("SELECT count(*) FROM results") == 2 * Scene.primary
        }
        try await box.stop()
        try await scene.doubles.stop()
    }

    @Test("alerts say nothing while all is well, and each one what it is for")
    func alerts() async throws {
        let blocks = try Recipe.alerts.blocks(1)
        let scene = try await Scene(photos: 1)
        let work = scene.workplace
        let box = try DailyBox(work)
        for end in try await box.cron(blocks[0]) { #expect(end.output + end.error == "" && end.status == 0) }

        _ = try await work.rows(
            """
            INSERT INTO worker_heartbeats (timestamp, worker_id, service_name, node_hostname, status)
            VALUES (strftime('%Y-%m-%d %H:%M:%f', 'now', '-10 minutes'), 'w1', 'blip', 'k3', 'alive')
            """)
        try await work.bury(1, died: "strftime('%Y-%m-%d %H:%M:%f', 'now')")
        try await scene.doubles.stop()
        let ends = try await box.cron(blocks[0])
        try #require(ends.count == 3)
        #expect(ends[0].output.contains("k3"), "a dead worker")
        #expect(ends[1].output.contains("queue_clip"), "a dead letter")
        #expect(ends[2].output.contains("service clip at 127.0.0.1"), "a service that is down")
        // cron mails what is printed, and where it is printed is all one to it.
        for end in ends { #expect(end.error == "") }
    }

    @Test("the logs of all machines come together by time, can be asked, and are rotated")
    func logs() async throws {
        let blocks = try Recipe.logs.blocks(3)
        let work = try Workplace()
        let box = try DailyBox(work)
        for name in ["k3", "k1", "k2"] {
            let nowhere = try ServiceDoubles.freePorts(1)[0]
            try work.write("\(name)/service_config.json", #"{"services": {"clip": {"port": \#(nowhere)}}}"#)
            try work.photos(["\(name)/1.jpg"])
            _ = try await work.bash(
                """
                cd \(name) && export LOG_FORMAT=json
                $FARM import 1.jpg && $FARM produce && $FARM up --until-idle 2>> up.log
                """)
        }
        try await box.paste(blocks[0])
        let lines = try String(contentsOfFile: work.path("farm.log"), encoding: .utf8).split(separator: "\n")
        let times = lines.compactMap { try? JSON(parsing: String($0))["time"]?.stringValue }
        #expect(times == times.sorted())
        #expect(times.count >= 6, "two lines of each run: \(lines)")
        #expect(lines.count > times.count, "and the last words of each, which are no JSON")
        let asked = try await box.paste(blocks[1]).output.split(separator: "\n")
        #expect(asked.count == 3)
        #expect(asked.allSatisfy { $0.contains("is down: connection refused") })

        let scene = try await Scene(["clip"], photos: 0)
        try scene.workplace.write(".env", "LOG_FILE=farm.log\n")
        let rotated = try DailyBox(scene.workplace)
        let log = scene.workplace.path("farm.log")
        try scene.workplace.write("logrotate", DailyBox.moved(blocks[2], ["/var/log/farm/farm.log": log]))
        try await rotated.start()
        try await rotated.paste("logrotate --force --state state logrotate")
        try await eventually("farm has opened the file again") {
            (try? String(contentsOfFile: log, encoding: .utf8))?.contains("service_config.json read again") == true
        }
        #expect(try String(contentsOfFile: log + ".1", encoding: .utf8).contains("worker clip"))
        try await rotated.stop()
        try await scene.doubles.stop()
    }

    @Test("a service that has changed is asked again, and its new answer counts; so is a crop service")
    func again() async throws {
        let blocks = try Recipe.again.blocks(2)
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        let box = try DailyBox(work)
        try work.photos(["1.jpg", "2.jpg", "3.jpg"])
        for group in [["1.jpg", "2.jpg", "--group", "photos"], ["3.jpg"]] {
            #expect(try await work.farm(["import"] + group).status == 0)
        }
        try await scene.produce()
        #expect(try await scene.upUntilIdle().status == 0)
        // As if clip had answered otherwise.
        _ = try await work.rows(
            #"UPDATE results SET data = replace(data, '\ud83d\udc36', '\ud83d\udc31') WHERE service = 'clip'"#)
        #expect(try await work.farm("consense", "--all").status == 0)
        let votes = """
            SELECT count(*) FROM consensus, json_each(consensus_data, '$.votes.consensus') AS vote
            WHERE json_extract(vote.value, '$.services') LIKE '%clip%'
            """
        #expect(try await work.count(votes) == 0, "nobody agrees with it")
        #expect(try await box.paste(blocks[0]).output.contains("2 jobs submitted: 2 images × clip"))
        #expect(try await scene.upUntilIdle().status == 0)
        #expect(try await work.count(votes) == 2, "in the group's images")

        let asked = try await scene.doubles.calls(of: "face").answered
        try await box.paste(blocks[1])
        #expect(try await scene.doubles.calls(of: "face").answered == asked + 2, "of the group's images")
        #expect(try await work.count("SELECT count(*) FROM postprocessing WHERE service = 'face'") == 3)
        try await scene.doubles.stop()
    }

    @Test("what stands still is told with its reason: a service that is down, a role that nobody runs, a dead letter")
    func stillness() async throws {
        let blocks = try Recipe.stillness.blocks(1)
        let scene = try await Scene(["clip"], photos: 2, absent: ["ocr"])
        let work = scene.workplace
        let box = try DailyBox(work)
        let resting = try Recipe.rest.blocks(4)[2].split(separator: "\n")[0]
        try await box.paste(String(resting.replacing(".clip.", with: ".consensus.")))
        try work.write(".env", "HEARTBEAT_INTERVAL=0.2\n")
        try await box.start()
        try await scene.produce()
        try await work.bury(1)
        try await eventually("farm status says what stands still, and why") {
            let status = try await work.farm("status").output
            return status.contains(/queue_ocr .* down on .*: connection refused/)
                && status.contains(/queue_consensus .* no worker/)
        }
        // Of these lines check ends with 1, for what is wrong.
        let told = try await box.attempt(blocks[0])
        #expect(told.output.contains(/failed +service ocr at 127.0.0.1:\d+: connection refused/))
        #expect(told.output.contains("Dead workers"))
        #expect(told.output.contains(/queue_clip +timeout +1/))
        try await box.stop()
        try await scene.doubles.stop()
    }
}

extension DailyBox {
    /// Starts `farm up` and waits until it has taken up its work.
    func start() async throws {
        try await paste("systemctl start farm")
        try await eventually("farm up starts") { self.log.contains("NOTICE farm: ") }
    }

    func stop() async throws { try await paste("systemctl stop farm") }

    /// How many messages of a service or role wait, by `farm status`.
    func waiting(_ service: String) async throws -> Int {
        try #require(try await queue(of: service)["waiting"]?.integerValue)
    }

    /// Whether the worker of a service or role obeys what was set.
    func obeys(_ service: String) async throws -> Bool {
        let queue = try await queue(of: service)
        return queue["obeying"] == 1 && queue["workers"] == 1
    }

    private func queue(of service: String) async throws -> JSON {
        let queues = try await workplace.farm("status", "--json").json()["queues"]?.arrayValue ?? []
        return try #require(queues.first { $0["service"]?.stringValue == service })
    }
}
