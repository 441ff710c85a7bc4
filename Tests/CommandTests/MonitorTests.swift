import Foundation
import Model
import Testing

@Suite("farm monitor")
struct MonitorTests {
    /// A heartbeat of some minutes ago.
    private func beat(
        _ workplace: Workplace, _ worker: String, _ service: String, on host: String = "box",
        _ status: String = "alive",
        minutesAgo: Int, completed: Int = 0, message: String = ""
    ) async throws {
        _ = try await workplace.rows(
            """
            INSERT INTO worker_heartbeats
                (timestamp, worker_id, service_name, node_hostname, status, jobs_completed, jobs_per_minute, error_message)
            VALUES (strftime('%Y-%m-%d %H:%M:%f', 'now', '-\(minutesAgo) minutes'), '\(worker)', '\(service)', '\(host)',
                '\(status)', \(completed), 2.5, '\(message)')
            """)
    }

    private func workplace() async throws -> Workplace {
        let workplace = try Workplace()
        #expect(try await workplace.farm("init").status == 0)
        return workplace
    }

    @Test("--json has the contract's shape")
    func shape() async throws {
        let workplace = try await workplace()
        try await beat(workplace, "dead_1", "ocr", minutesAgo: 20)
        try await beat(workplace, "live_1", "clip", "starting", minutesAgo: 3)
        try await beat(workplace, "live_1", "clip", minutesAgo: 1, completed: 12)
        try await beat(workplace, "live_2", "blip", on: "other", "error", minutesAgo: 2, message: "out of order")
        let finished = try await workplace.farm("monitor", "--json")
        #expect(finished.status == 0, "\(finished.error)")
        let report = try finished.json()
        #expect(report.keys == ["dead_workers", "performance", "nodes", "errors"])

        let dead = try #require(report["dead_workers"]?.arrayValue)
        #expect(dead.count == 1)
        #expect(dead[0].keys == ["worker_id", "service_name", "node_hostname", "last_seen", "minutes_silent"])
        #expect(dead[0]["worker_id"]?.stringValue == "dead_1")
        #expect(dead[0]["minutes_silent"]?.numberValue.map { $0 >= 20 && $0 < 30 } == true)

        let performance = try #require(report["performance"]?.arrayValue)
        for service in performance {
            #expect(service.keys == ["service_name", "workers", "jobs_per_minute", "jobs_completed", "last_update"])
        }
        #expect(performance.map { $0["service_name"]?.stringValue } == ["blip", "clip"])
        #expect(performance.last?["jobs_completed"]?.integerValue == 12)
        #expect(performance.last?["jobs_per_minute"]?.numberValue == 2.5)
        #expect(performance.last?["last_update"]?.stringValue?.hasSuffix("Z") == true)

        #expect(
            report["nodes"] == [
                ["node_hostname": "box", "workers": 1, "services": ["clip"]],
                ["node_hostname": "other", "workers": 1, "services": ["blip"]],
            ])
        let errors = try #require(report["errors"]?.arrayValue)
        #expect(errors.count == 1)
        #expect(
            errors[0].keys == ["timestamp", "worker_id", "service_name", "node_hostname", "error_message"])
        #expect(errors[0]["error_message"]?.stringValue == "out of order")
    }

    @Test("the text has four parts, dates in UTC")
    func text() async throws {
        let workplace = try await workplace()
        try await beat(workplace, "dead_1", "ocr", minutesAgo: 20)
        try await beat(workplace, "live_2", "blip", "error", minutesAgo: 2, message: "out of order")
        let text = try await workplace.farm("monitor").output
        for part in ["Dead workers", "Performance", "Nodes", "Errors", "UTC", "dead_1", "out of order"] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(!text.contains("\u{1B}"))
    }

    @Test("--fail-on-dead is exit 1 while a worker is silent for longer than the threshold")
    func failOnDead() async throws {
        let workplace = try await workplace()
        #expect(try await workplace.farm("monitor", "--fail-on-dead").status == 0)
        try await beat(workplace, "silent_1", "ocr", minutesAgo: 20)
        #expect(try await workplace.farm("monitor", "--fail-on-dead").status == 1)
        #expect(try await workplace.farm("monitor").status == 0)
        #expect(try await workplace.farm("monitor", "--fail-on-dead", "--dead-threshold", "30").status == 0)
    }

    @Test("not dead is who said that it stops, is silent for a day, or has a live successor on its host")
    func notDead() async throws {
        let workplace = try await workplace()
        try await beat(workplace, "stopped_1", "ocr", minutesAgo: 21)
        try await beat(workplace, "stopped_1", "ocr", "stopping", minutesAgo: 20)
        try await beat(workplace, "forgotten_1", "nsfw2", minutesAgo: 25 * 60)
        try await beat(workplace, "before_1", "clip", minutesAgo: 20)
        try await beat(workplace, "after_1", "clip", minutesAgo: 1)
        #expect(try await workplace.farm("monitor", "--fail-on-dead").status == 0)
        try await beat(workplace, "elsewhere_1", "clip", on: "other", minutesAgo: 20)
        let report = try await workplace.farm("monitor", "--json", "--fail-on-dead")
        #expect(report.status == 1)
        #expect(
            try report.json()["dead_workers"]?.arrayValue?.map { $0["worker_id"]?.stringValue } == ["elsewhere_1"])
    }

    @Test("a threshold of less than three heartbeats is warned about, and the rule of dead workers is in the help")
    func shortThreshold() async throws {
        let workplace = try await workplace()
        let short = try await workplace.farm("monitor", "--dead-threshold", "2.9")
        #expect(short.status == 0)
        #expect(
            short.error.contains(
                "--dead-threshold 2.9 min is less than three heartbeats (HEARTBEAT_INTERVAL is 60 s here)"),
            "\(short.error)")
        #expect(try await workplace.farm("monitor", "--dead-threshold", "3").error.isEmpty)
        let often = try await workplace.farm(
            "monitor", "--dead-threshold", "0.5", environment: ["HEARTBEAT_INTERVAL": "10"])
        #expect(often.error.isEmpty)
        let help = try await workplace.farm("monitor", "--help").output
        let words = help.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("takes the place of"))
        #expect(words.contains("start as many workers as have died"))
    }

    @Test("the windows choose what performance and errors show")
    func windows() async throws {
        let workplace = try await workplace()
        try await beat(workplace, "w_1", "ocr", "error", minutesAgo: 90, message: "long ago")
        let narrow = try await workplace.farm("monitor", "--json").json()
        #expect(narrow["errors"] == [])
        #expect(narrow["performance"] == [])
        let wide = try await workplace.farm("monitor", "--json", "-p", "100", "-e", "100").json()
        #expect(wide["errors"]?.arrayValue?.count == 1)
        #expect(wide["performance"]?.arrayValue?.count == 1)
    }

    @Test("a service's workers are those that live: who stopped counts for what it has done, and for nothing else")
    func stoppedWorker() async throws {
        let workplace = try await workplace()
        try await beat(workplace, "merge_1", "bbox_merger", minutesAgo: 3, completed: 5)
        try await beat(workplace, "merge_1", "bbox_merger", "stopping", minutesAgo: 2, completed: 12)
        try await beat(workplace, "silent_1", "ocr", minutesAgo: 8)
        try await beat(workplace, "live_1", "ocr", minutesAgo: 1)
        let report = try await workplace.farm("monitor", "--json").json()
        let performance = try #require(report["performance"]?.arrayValue)
        #expect(performance.map { $0["service_name"]?.stringValue } == ["bbox_merger", "ocr"])
        #expect(performance.map { $0["workers"]?.integerValue } == [0, 1])
        #expect(performance.map { $0["jobs_per_minute"]?.numberValue } == [0, 2.5])
        #expect(performance.first?["jobs_completed"]?.integerValue == 7)
    }

    @Test("two live workers that share an id are warned about")
    func sharedID() async throws {
        let workplace = try await workplace()
        try await beat(workplace, "same", "ocr", on: "box", minutesAgo: 1)
        try await beat(workplace, "same", "ocr", on: "other", minutesAgo: 1)
        let finished = try await workplace.farm("monitor", "--json")
        #expect(finished.status == 0)
        #expect(finished.error.contains("share the id same"))
    }

    @Test("an idle worker's heartbeats are there: live while it runs, neither dead nor live after its end")
    func idleWorker() async throws {
        let workplace = try Workplace()
        let worker = try workplace.start(
            ["work", "blip"], environment: ["HEARTBEAT_INTERVAL": "0.1", "WORKER_ID": "my-worker"])
        try await eventually("it is alive") {
            FileManager.default.fileExists(atPath: workplace.path("farm.db"))
                && worker.isRunning && worker.error.contains("worker blip")
        }
        try await eventually("it says so") {
            try await workplace.count("SELECT count(*) FROM worker_heartbeats WHERE status = 'alive'") > 1
        }
        let live = try await workplace.farm("monitor", "--json").json()
        #expect(live["nodes"]?.arrayValue?.first?["services"] == ["blip"])
        worker.signal(SIGTERM)
        #expect(try await worker.finished().status == 0)
        let stopped = try await workplace.farm("monitor", "--json").json()
        #expect(stopped["nodes"] == [])
        #expect(stopped["dead_workers"] == [])
        #expect(try await workplace.rows("SELECT DISTINCT worker_id FROM worker_heartbeats") == ["my-worker"])
        let states = try await workplace.rows("SELECT status FROM worker_heartbeats ORDER BY id")
        #expect(states.first == "starting")
        #expect(states.last == "stopping")
    }
}
