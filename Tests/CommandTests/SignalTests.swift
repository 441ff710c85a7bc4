import Foundation
import Model
import Testing

@Suite("Signals", .serialized)
struct SignalTests {
    private func worker(_ scene: Scene, shutdown: String) async throws -> Running {
        let worker = try scene.workplace.start(
            ["work", "clip", "--concurrency", "2"], environment: ["SHUTDOWN_TIMEOUT": shutdown, "RETRY_DELAY": "0"])
        try await eventually("two calls are in flight") { try await scene.doubles.calls(of: "clip").begun == 2 }
        return worker
    }

    private func expectEveryJobOnce(_ scene: Scene, of photos: Int) async throws {
        #expect(try await scene.upUntilIdle().status == 0)
        #expect(try await scene.workplace.count("SELECT count(*) FROM results") == photos)
        #expect(try await scene.workplace.count("SELECT count(DISTINCT image_id) FROM results") == photos)
        #expect(try await scene.workplace.count("SELECT count(*) FROM farm_queue") == 0)
        #expect(try await scene.workplace.count("SELECT count(*) FROM farm_dead") == 0)
        try await scene.doubles.stop()
    }

    @Test("SIGTERM lets calls in flight finish; the other jobs wait, none is lost or done twice")
    func finishes() async throws {
        let scene = try await Scene(["clip"], photos: 6, gate: true)
        try await scene.produce()
        let worker = try await worker(scene, shutdown: "250")
        worker.signal(SIGTERM)
        // Were it not heard, the worker would go on taking jobs; that cannot be told apart from outside without waiting.
        try await Task.sleep(for: .milliseconds(300))
        try scene.openGate()
        let finished = try await worker.finished()
        #expect(finished.status == 0, "\(finished.error)")
        let work = scene.workplace
        let rows = try await work.count("SELECT count(*) FROM results")
        #expect(rows >= 2, "what was in flight is finished")
        #expect(
            try await work.count("SELECT count(*) FROM farm_queue WHERE queue = 'queue_clip' AND holder IS NULL") == 6
                - rows)
        #expect(
            try await work.rows("SELECT status FROM worker_heartbeats WHERE service_name = 'clip' ORDER BY id").last
                == "stopping")
        try await expectEveryJobOnce(scene, of: 6)
    }

    @Test("what is not finished within SHUTDOWN_TIMEOUT goes back")
    func givesBack() async throws {
        let scene = try await Scene(["clip"], photos: 4, gate: true)
        try await scene.produce()
        let worker = try await worker(scene, shutdown: "2")
        worker.signal(SIGTERM)
        let finished = try await worker.finished()
        #expect(finished.status == 0, "\(finished.error)")
        #expect(try await scene.workplace.count("SELECT count(*) FROM results") == 0)
        #expect(try await scene.workplace.count("SELECT count(*) FROM farm_queue WHERE queue = 'queue_clip'") == 4)
        try scene.openGate()
        try await expectEveryJobOnce(scene, of: 4)
    }

    @Test(
        "SIGINT drains too, and the exit code says interrupted", arguments: [["work", "clip"], ["consense"], ["up"]])
    func interrupted(_ arguments: [String]) async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)])
        let role = try workplace.start(arguments)
        try await workplace.started(role, arguments == ["consense"] ? "consensus" : "clip")
        role.signal(SIGINT)
        let finished = try await role.finished()
        #expect(finished.status == 130, "\(finished.error)")
        #expect(try await workplace.count("SELECT count(*) FROM worker_heartbeats WHERE status = 'stopping'") > 0)
    }

    @Test("a second signal ends at once", arguments: [(SIGTERM, 0), (SIGINT, 130)] as [(Int32, Int32)])
    func second(_ signal: Int32, _ code: Int32) async throws {
        let scene = try await Scene(["clip"], photos: 4, gate: true)
        try await scene.produce()
        let worker = try await worker(scene, shutdown: "280")
        worker.signal(signal)
        try await Task.sleep(for: .milliseconds(300))
        #expect(worker.isRunning, "it drains: calls are in flight")
        // Two that come at the same moment are one to a process, so the second is repeated until it is heard.
        try await eventually("it ends") {
            worker.signal(signal)
            return !worker.isRunning
        }
        #expect(try await worker.finished().status == code)
        #expect(try await scene.workplace.count("SELECT count(*) FROM results") == 0)
        #expect(try await scene.workplace.count("SELECT count(*) FROM farm_queue") == 4, "leased or waiting, not lost")
        try await scene.doubles.stop()
    }

    @Test("a role gives back the program's pages that only its start has needed")
    func startupPages() async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)])
        let role = try workplace.start(["work", "clip"])
        try await workplace.started(role, "clip")
        // The libraries of libraries, of which nothing is called any more; without it of each at least a page is there.
        // `String(contentsOfFile:)` would take the first page of it for all.
        let file = try #require(FileHandle(forReadingAtPath: "/proc/\(role.pid)/smaps"))
        let smaps = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
        let texts = smaps.matches(of: /r-xp [^\n]* \/[^\n]*\nSize:[^R]*Rss: +(\d+) kB/).map { $0.1 }
        #expect(texts.contains("0"), "\(texts)")
        role.signal(SIGTERM)
        #expect(try await role.finished().status == 0)
    }

    @Test("SIGHUP reads service_config.json again: new roles begin, others end, an invalid file is refused")
    func reload() async throws {
        let scene = try await Scene(["clip", "colors"], photos: 1)
        let work = scene.workplace
        let both = scene.doubles.ports
        func results(_ service: String) async throws -> Int {
            try await work.count("SELECT count(*) FROM results WHERE service = '\(service)'")
        }
        func produce(_ service: String) async throws {
            #expect(
                try await work.farm("produce", "-s", service, environment: ["SERVICE_CONFIG": "good.json"]).status == 0)
        }
        try work.configure(both)
        try FileManager.default.moveItem(atPath: work.path("service_config.json"), toPath: work.path("good.json"))
        try work.configure([both[0]], roles: false)
        let up = try work.start(["up"], environment: Scene.impatient)
        try await work.started(up, "clip")
        try await produce("clip")
        try await eventually("clip is served") { try await results("clip") == 1 }
        try await produce("colors")
        #expect(!up.error.contains("worker colors"))

        try work.configure([both[1]])
        up.signal(SIGHUP)
        try await eventually("colors is served") { try await results("colors") == 1 }
        try await eventually("clip has ended") {
            try await work.count(
                "SELECT count(*) FROM worker_heartbeats WHERE service_name = 'clip' AND status = 'stopping'") == 1
        }
        try await eventually("the consensus role has begun") {
            try await work.count("SELECT count(*) FROM consensus") == 1
        }
        #expect(up.error.contains("worker clip: no longer named here, ends"))

        try work.write("service_config.json", #"{"services": {"clip": {"port": "many"}}}"#)
        up.signal(SIGHUP)
        try await eventually("the invalid file is refused") { up.error.contains("services.clip.port") }
        #expect(up.error.contains("old settings are kept"))
        try await produce("colors")
        try await eventually("colors is still served") { try await results("colors") == 2 }
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        try await scene.doubles.stop()
    }

    @Test("SIGHUP opens the log file again")
    func logRotation() async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)], roles: false)
        let up = try workplace.start(["up"], environment: ["LOG_FILE": "farm.log"])
        try await workplace.started(up, "clip")
        try FileManager.default.moveItem(atPath: workplace.path("farm.log"), toPath: workplace.path("farm.log.1"))
        up.signal(SIGHUP)
        try await eventually("the new file has lines") {
            (try? String(contentsOfFile: workplace.path("farm.log"), encoding: .utf8))?.contains("read again") == true
        }
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
    }
}
