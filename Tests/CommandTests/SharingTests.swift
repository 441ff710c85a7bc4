import Foundation
import Testing

@Suite("Several processes on one file", .serialized)
struct SharingTests {
    @Test("two workers, the other workers and the roles in processes of their own share the jobs, each done once")
    func share() async throws {
        let scene = try await Scene(photos: 30, gate: true)
        let work = scene.workplace
        try await scene.produce()
        let commands = [
            ["work", "clip", "--concurrency", "2"], ["work", "clip", "--concurrency", "2"],
            ["work", "yolov8", "rtdetr"], ["work", "inception_v3", "colors"], ["merge"], ["merge"], ["enrich"],
            ["consense"],
        ]
        let processes = try commands.map { try work.start($0, environment: Scene.impatient) }
        // Nobody answers before both have taken what they can: so both have a share.
        try await eventually("both clip workers have jobs") { try await scene.doubles.calls(of: "clip").begun == 4 }
        try scene.openGate()
        try await eventually("all jobs have their rows") {
            try await work.count("SELECT count(*) FROM results") == 30 * Scene.primary
        }
        try await eventually("the queues are empty and every consensus is there") {
            try await work.rows(
                """
                SELECT (SELECT count(*) FROM farm_queue), (SELECT count(*) FROM consensus),
                    (SELECT count(*) FROM postprocessing)
                """) == ["0|30|\(30 * 4)"]
        }
        for process in processes { process.signal(SIGTERM) }
        for process in processes { #expect(try await process.finished().status == 0) }
        #expect(try await work.count("SELECT count(*) FROM results") == 30 * Scene.primary)
        #expect(
            try await work.count("SELECT count(*) FROM (SELECT DISTINCT image_id, service FROM results)")
                == 30 * Scene.primary)
        #expect(try await work.count("SELECT count(DISTINCT worker_id) FROM results WHERE service = 'clip'") == 2)
        #expect(try await scene.doubles.calls(of: "clip").begun == 30, "none was asked twice")
        #expect(try await work.count("SELECT count(*) FROM merged_boxes") == 60)
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        try await scene.doubles.stop()
    }

    @Test("a waiting worker of another terminal takes a new job")
    func wake() async throws {
        let scene = try await Scene(["clip"], photos: 1)
        let worker = try scene.workplace.start(["work", "clip"])
        try await scene.workplace.started(worker, "clip")
        var delays: [Double] = []
        for round in 1...5 {
            let produced = try await scene.workplace.farm("produce", "--services", "clip")
            let end = Date().timeIntervalSince1970
            #expect(produced.status == 0)
            try await eventually("the call of round \(round)") {
                try await scene.doubles.calls(of: "clip").begun == round
            }
            let last = try #require(try await scene.doubles.calls(of: "clip").last)
            delays.append(((last - end) * 1000).rounded())
        }
        print(
            "from the end of farm produce to the service's call, in ms (below 0: before produce had ended): \(delays)")
        #expect(delays.count == 5)
        worker.signal(SIGTERM)
        #expect(try await worker.finished().status == 0)
        try await scene.doubles.stop()
    }

    @Test("several processes make farm.db at once")
    func makeAtOnce() async throws {
        let workplace = try Workplace()
        let processes = try (1...4).map { _ in try workplace.start(["status", "--json"]) }
        for process in processes {
            let finished = try await process.finished()
            #expect(finished.status == 0, "\(finished.error)")
        }
    }
}
