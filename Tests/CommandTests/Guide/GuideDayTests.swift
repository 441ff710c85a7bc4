import Foundation
import Model
import Servers
import Testing

@Suite("The guide's day")
struct GuideDayTests {
    private let photos = 12

    @Test("five boxes, set up and run by the guide's lines, do all that was submitted, each job once")
    func day() async throws {
        let cluster = try await GuideCluster()
        try await cluster.clearServers()
        let workstation = try cluster.box("workstation")

        try await setUp(cluster)
        try workstation.photos((1...photos).map { "photos/\($0).jpg" })
        let imported = try await workstation.farm("import", "photos", "--group", "coco2017")
        #expect(imported.output.contains("\(photos) added"), "\(imported.error)")

        // Right after the guide's SQL, without farm init.
        let produced = try await cluster.type(Guide.produce, on: "workstation")
        #expect(produced.output.contains("\(photos * 11) jobs submitted"))
        let primary = CatalogueService.all.filter { $0.category == .primary }
        let submitted = try await cluster.waiting()
        #expect(primary.allSatisfy { submitted["queue_\($0.name)"] == photos })
        #expect(submitted.values.reduce(0, +) == photos * 11)

        var processes = try Guide.boxes.map { try cluster.box($0).start(["up"]) }
        try await eventually("all is done") { try await isDone(cluster, jobs: photos * 11) }
        try await checkStatus(cluster, services: primary.map(\.name))

        let scaled = try await scale(cluster)
        processes += [scaled.left]
        try await checkMonitoring(cluster, killed: scaled.killed)

        for process in processes { process.signal(SIGTERM) }
        for process in processes {
            let finished = try await process.finished()
            #expect(finished.status == 0, "\(finished.error)")
        }
        let left = try await cluster.monitoring(
            """
            SELECT worker_id FROM worker_heartbeats w WHERE status = 'stopping'
            AND id = (SELECT max(id) FROM worker_heartbeats WHERE worker_id = w.worker_id)
            """)
        #expect(left.count == 15, "14 roles and a worker said that they stop: \(left)")
        try await checkRows(cluster)
        try checkSecrets(cluster, processes)
        try await cluster.services.stop()
        try await cluster.clearServers()
    }

    /// Step 1.
    private func setUp(_ cluster: GuideCluster) async throws {
        for line in Guide.queueUser { _ = try await cluster.type(line, on: "k2") }
        try await cluster.database.run("CREATE USER animal_farm_user PASSWORD 'your_secure_db_password'")
        try await cluster.database.run("CREATE DATABASE animal_farm OWNER animal_farm_user")
        _ = try await cluster.type(
            "psql -h 192.168.0.121 -U animal_farm_user -d animal_farm -v ON_ERROR_STOP=1 <<'SQL'\n\(Guide.tables)\nSQL",
            on: "k1")
        _ = try await cluster.type(
            "mysql --no-defaults -u root --password= --socket=\(cluster.monitoring.socket) <<'SQL'\n\(Guide.monitoring)\nSQL",
            on: "k1")
    }

    private func isDone(_ cluster: GuideCluster, jobs: Int) async throws -> Bool {
        let sums = try await cluster.database.run(
            """
            SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM consensus),
                (SELECT count(*) FROM postprocessing), (SELECT count(*) FROM farm_stale)
            """, in: "animal_farm")
        return sums == [["\(jobs)", "\(photos)", "\(photos * 4)", "0"]]
    }

    /// Step 4.2 by psql and rabbitmqctl.
    private func checkStatus(_ cluster: GuideCluster, services: [String]) async throws {
        let results = try await cluster.type(Guide.results, on: "workstation").output
        for service in services {
            let row = try #require(results.split(separator: "\n").first { $0.contains(" \(service) ") })
            #expect(row.split(separator: "|").dropFirst().map { Int($0.filter { $0 != " " }) } == [photos, photos, 0])
        }
        let totals = try await cluster.type(Guide.postProcessing, on: "workstation").output.split(separator: "\n")
            .compactMap { Int($0.filter { $0 != " " }) }
        #expect(totals == [photos * 2, photos, photos * 4])
        // The last triggers are acknowledged after the rows that they led to.
        try await eventually("nothing waits") { try await cluster.waiting().values.allSatisfy { $0 == 0 } }
        print(results)
    }

    /// Two more workers of a bottleneck, by the guide's name for them; one is killed with jobs in its hands.
    private func scale(_ cluster: GuideCluster) async throws -> (left: Running, killed: String) {
        let gpu = try cluster.box("k3")
        let workers = try (1...2).map { _ in
            try gpu.start([], environment: ["SERVICE_NAME": "yolov8"], calledAs: "generic_worker.py")
        }
        let ids = "SELECT DISTINCT worker_id FROM worker_heartbeats WHERE service_name = 'yolov8'"
        try await eventually("three yolov8 workers live") { try await cluster.monitoring(ids).count == 3 }
        let killed = try #require(
            try await cluster.monitoring(ids).first { $0[0].hasSuffix("_\(workers[1].pid)") }.map { String($0[0]) })
        #expect(killed.hasPrefix("worker_unique_name_yolov8_"))

        let before = try await cluster.services.calls(of: "yolov8").begun
        try cluster.box("workstation").write("gate", "")
        let line = "python generic_producer.py --services yolov8 --group coco2017"
        _ = try await cluster.type(line, on: "workstation")
        // Nobody answers, so that each holds the four that it takes at once.
        try await eventually("three workers share the jobs") {
            try await cluster.services.calls(of: "yolov8").begun == before + photos
        }
        workers[1].signal(SIGKILL)
        #expect(try await workers[1].finished().status == 128 + SIGKILL)
        try FileManager.default.removeItem(atPath: cluster.box("workstation").path("gate"))
        try await eventually("the others did the killed one's jobs too") {
            try await isDone(cluster, jobs: photos * 12)
        }
        #expect(try await cluster.services.calls(of: "yolov8").begun == before + photos + 4)
        let whose = "SELECT DISTINCT worker_id FROM results WHERE service = 'yolov8' AND result_id > \(photos * 11)"
        #expect(try await cluster.count("SELECT count(*) FROM (\(whose)) w") == 2)
        #expect(try await cluster.count("SELECT count(*) FROM (\(whose)) w WHERE worker_id = '\(killed)'") == 0)
        return (workers[0], killed)
    }

    /// Step 4.2 by the dashboard and by queries on MariaDB.
    private func checkMonitoring(_ cluster: GuideCluster, killed: String) async throws {
        let shown = try await cluster.type(Guide.monitor, on: "k1").output
        for part in ["Dead workers (silent for over 10 min)", "Performance (last 30 min)", "Errors (last 120 min)"] {
            #expect(shown.contains(part))
        }
        print(shown)
        let rates = try await cluster.monitoring(Guide.performance)
        #expect(rates.count == 14)
        #expect(rates.first { $0[0] == "yolov8" }.map { $0[2] } == "3")
        #expect(rates.count { $0[2] == "1" } == 13)

        // A tenth of a minute in place of the guide's three.
        try await eventually("the monitor finds the killed worker, and only it") {
            let report = try await cluster.type("python monitor_workers.py --dead-threshold 0.1 --json", on: "k1")
                .json()
            return report["dead_workers"]?.arrayValue?.map { $0["worker_id"]?.stringValue } == [killed]
        }
        print(try await cluster.type("python monitor_workers.py --dead-threshold 0.1", on: "k1").output)
        let root = try await cluster.monitoring.connect()
        try await root.run("UPDATE monitoring.worker_heartbeats SET timestamp = timestamp - INTERVAL 10 MINUTE")
        try await eventually("ten minutes later the guide's query finds it too, and no idle one") {
            try await cluster.monitoring(Guide.deadWorkers).map { $0[0] } == [killed[...]]
        }
    }

    private func checkRows(_ cluster: GuideCluster) async throws {
        #expect(try await cluster.waiting().values.allSatisfy { $0 == 0 }, "also the dead ones'")
        #expect(try await cluster.count("SELECT count(*) FROM results") == photos * 12)
        #expect(try await cluster.count("SELECT count(DISTINCT job_id) FROM results") == photos * 12)
        #expect(try await cluster.count("SELECT count(*) FROM results WHERE status <> 'success'") == 0)
        #expect(
            try await cluster.count("SELECT count(*) FROM (SELECT DISTINCT image_id, service FROM results) p")
                == photos * 11)
        #expect(try await cluster.count("SELECT count(DISTINCT image_id) FROM consensus") == photos)
        #expect(try await cluster.count("SELECT count(*) FROM consensus") == photos)
        #expect(
            try await cluster.count(
                "SELECT count(*) FROM consensus WHERE (consensus_data->>'services_count')::int = 11") == photos)
        #expect(try await cluster.count("SELECT count(*) FROM merged_boxes") == photos * 2)
        // A person's crop goes to three services, a dog's to one.
        #expect(
            try await cluster.count("SELECT count(*) FROM postprocessing WHERE status = 'success'") == photos * 4)
        #expect(
            try await cluster.count(
                """
                SELECT count(*) FROM postprocessing JOIN merged_boxes ON merged_id = merged_box_id
                """) == photos * 4)
    }

    /// What the boxes wrote, on the terminal and into worker.log.
    private func checkSecrets(_ cluster: GuideCluster, _ processes: [Running]) throws {
        let logs = try Guide.boxes.map {
            try String(contentsOfFile: cluster.box($0).path("worker.log"), encoding: .utf8)
        }
        #expect(logs.allSatisfy { $0.contains("NOTICE farm:") })
        for text in logs + processes.flatMap({ [$0.output, $0.error] }) { #expect(!text.contains("your_secure")) }
    }
}
