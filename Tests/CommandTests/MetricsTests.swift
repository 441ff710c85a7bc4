import Foundation
import FoundationNetworking
import Testing

@Suite("METRICS_LISTEN", .serialized)
struct MetricsTests {
    /// What the text says of one run of `farm up`.
    private func scrape(_ port: Int, _ path: String = "/metrics") async throws -> String {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
        let (data, answer) = try await URLSession.shared.data(from: url)
        try #require((answer as? HTTPURLResponse)?.statusCode == 200)
        return String(decoding: data, as: UTF8.self)
    }

    /// The port that a process has said that it listens on.
    private func port(of running: Running) async throws -> Int {
        try await eventually("it says where its metrics are") {
            running.error.contains("/metrics") || !running.isRunning
        }
        let match = running.error.firstMatch(of: /metrics at http:\/\/127\.0\.0\.1:([0-9]+)\/metrics/)
        return try #require(match.flatMap { Int($0.1) }, "\(running.error)")
    }

    private func sum(_ samples: String, of series: String) -> Double {
        samples.split(separator: "\n").filter { $0.hasPrefix(series) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    private func promtool(_ arguments: [String], input: String? = nil) async throws -> Finished {
        let workplace = try Workplace()
        try workplace.write("input", input ?? "")
        let command = "promtool \(arguments.joined(separator: " ")) < input"
        return try await Running(
            URL(fileURLWithPath: "/bin/bash"), ["-c", command], in: workplace.folder, ["PATH": "/usr/bin:/bin"]
        ).finished()
    }

    /// The names in the first column of docs/metrics.md.
    private func listed() throws -> Set<String> {
        let page = try String(contentsOf: Program.root.appending(path: "docs/metrics.md"), encoding: .utf8)
        return Set(page.matches(of: #/(?m)^\| `(farm_[a-z_]+)` \| (?:counter|gauge|histogram) /#).map { String($0.1) })
    }

    @Test("what a run exports is what it has done, in a text that Prometheus reads, and each name is in the list")
    func wholeRun() async throws {
        // One photo makes clip answer with an error, again and again.
        let scene = try await Scene(photos: 3, failing: [("clip", "2.jpg")])
        let work = scene.workplace
        try await scene.produce()
        let up = try work.start(
            ["up"],
            environment: Scene.impatient.merging(["METRICS_LISTEN": "0", "MAX_RETRIES": "2"]) { $1 })
        let port = try await port(of: up)
        try await eventually("all is done, and told") {
            let text = try await scrape(port)
            return sum(text, of: "farm_consensus_lag_seconds_count") >= 3
                && sum(text, of: #"farm_jobs_total{service="clip""#) >= 3
                && sum(text, of: "farm_jobs_in_flight") == 0
                && text.contains(#"farm_queue_messages{queue="queue_clip",state="ready"}"#)
                // The first look of the sampler comes before the workers say that they are there, the second 15 s later.
                && text.contains("farm_worker_last_heartbeat_timestamp_seconds{")
        }
        let text = try await scrape(port)
        #expect(try await scrape(port, "/healthz") == "ok\n")

        let checked = try await promtool(["check", "metrics"], input: text)
        #expect(checked.status == 0, "\(checked.output)\(checked.error)")

        // What the tables hold.
        let jobs = Scene.primary * 3
        #expect(sum(text, of: #"farm_jobs_total{service="clip",outcome="success"}"#) == 2)
        #expect(sum(text, of: #"farm_jobs_total{service="clip",outcome="error"}"#) == 1)
        #expect(sum(text, of: #"farm_job_errors_total{service="clip",kind="http"}"#) == 1)
        #expect(sum(text, of: #"farm_job_retries_total{service="clip",kind="http"}"#) == 1)
        #expect(sum(text, of: #"farm_dead_letters_total{queue="queue_clip",reason="http"}"#) == 1)
        let settled = Scene.services.filter { !["face", "pose", "colors"].contains($0) } + ["colors"]
        let done = settled.reduce(0) { sum, service in
            sum + self.sum(text, of: #"farm_jobs_total{service="\#(service)",outcome="success"}"#)
        }
        #expect(done == Double(jobs - 1))
        #expect(sum(text, of: "farm_job_wait_seconds_count") == Double(jobs))
        #expect(sum(text, of: #"farm_service_request_duration_seconds_count{service="yolov8",outcome="success"}"#) == 3)
        #expect(sum(text, of: #"farm_breaker_state{service="yolov8",state="closed"}"#) == 1)
        #expect(sum(text, of: #"farm_service_up{service="yolov8"}"#) == 1)
        #expect(sum(text, of: #"farm_concurrency_limit{service="yolov8"}"#) == 4)

        // Each name is in the list, and all of the list is there that can be without a broker, a picture by URL or a webhook.
        let emitted = Set(text.matches(of: #/# TYPE (farm_[a-z_]+) /#).map { String($0.1) })
        let listed = try listed()
        #expect(emitted.subtracting(listed).isEmpty)
        #expect(
            listed.subtracting(emitted).isSubset(of: [
                "farm_queue_oldest_seconds", "farm_queue_consumers", "farm_broker_reconnects_total",
                "farm_store_errors_total", "farm_image_fetch_seconds", "farm_predictions_dropped_total",
                "farm_webhook_post_seconds",
            ]), "\(listed.subtracting(emitted))")
        // No label is an id.
        let worker = try #require(try await work.rows("SELECT worker_id FROM results").first)
        #expect(!text.contains(worker) && !text.contains("1.jpg"))

        up.signal(SIGTERM)
        let finished = try await up.finished()
        #expect(finished.status == 0, "\(finished.error)")
        await #expect(throws: URLError.self) { try await scrape(port) }
        try await scene.doubles.stop()
    }

    @Test("a port that another process has keeps a role from starting; who only watches goes on without")
    func taken() async throws {
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        let port = try #require(try ServiceDoubles.freePorts(1).first)
        try work.write(".env", "METRICS_LISTEN=\(port)\n")
        let first = try work.start(["work", "clip"])
        #expect(try await self.port(of: first) == port)

        let second = try await work.farm("merge")
        #expect(second.status == 2)
        #expect(second.error.contains("METRICS_LISTEN: 127.0.0.1:\(port) is in use by another process"))
        #expect(second.error.contains("a port of its own"))

        let watch = try work.start(["status", "--watch"])
        try await eventually("it draws") { watch.output.contains("queue_clip") }
        #expect(watch.error.contains("127.0.0.1:\(port) is in use by another process; this process serves no metrics"))
        watch.signal(SIGINT)
        _ = try await watch.finished()

        // The environment wins over the file.
        let third = try work.start(["merge"], environment: ["METRICS_LISTEN": "0"])
        #expect(try await self.port(of: third) != port)
        for role in [first, third] {
            role.signal(SIGTERM)
            #expect(try await role.finished().status == 0)
        }
        try await scene.doubles.stop()
    }

    @Test("where it is not set no port is opened, nor by commands that do one thing and end")
    func unset() async throws {
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        let role = try work.start(["work", "clip"])
        try await work.started(role, "clip")
        #expect(try Self.listeningSockets(of: role.pid).isEmpty)
        role.signal(SIGTERM)
        #expect(try await role.finished().status == 0)
        let status = try await work.farm("status", environment: ["METRICS_LISTEN": "0"])
        #expect(status.status == 0 && !status.error.contains("/metrics"))
        try await scene.doubles.stop()
    }

    /// The inodes of sockets of a process that listen.
    private static func listeningSockets(of pid: Int32) throws -> Set<String> {
        var listening: Set<String> = []
        for table in ["tcp", "tcp6"] {
            for line in try String(contentsOfFile: "/proc/\(pid)/net/\(table)", encoding: .utf8).split(separator: "\n")
            {
                let columns = line.split(separator: " ")
                if columns.count > 9, columns[3] == "0A" { listening.insert("socket:[\(columns[9])]") }
            }
        }
        let folder = "/proc/\(pid)/fd"
        let open = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        return listening.intersection(open)
    }

    @Test("the alerts fire when they should, and name metrics that there are")
    func alerts() async throws {
        let folder = Program.root.appending(path: "config/prometheus").path
        for arguments in [
            ["test", "rules", "\(folder)/alerts_test.yml"], ["check", "config", "\(folder)/prometheus.yml"],
        ] {
            let finished = try await promtool(arguments)
            #expect(finished.status == 0, "\(finished.output)\(finished.error)")
        }
        let known = try listed()
        for file in ["prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/farm.json"] {
            let text = try String(contentsOf: Program.root.appending(path: "config/\(file)"), encoding: .utf8)
            let names = Set(text.matches(of: /farm_[a-z_]+/).map { String($0.0) })
            let unknown = names.filter { name in
                !known.contains(name)
                    && !known.contains { ["_bucket", "_sum", "_count"].map($0.appending).contains(name) }
            }
            #expect(unknown.isEmpty, "\(file)")
        }
        let dashboard = try Data(contentsOf: Program.root.appending(path: "config/grafana/farm.json"))
        #expect(try JSONSerialization.jsonObject(with: dashboard) is [String: Any])
    }
}
