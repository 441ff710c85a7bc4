import Foundation
import Testing

@Suite("A role that fails", .serialized)
struct FailingRoleTests {
    @Test("it says why and is restarted; the others go on")
    func restart() async throws {
        let scene = try await Scene(photos: 2)
        let work = scene.workplace
        let up = try work.start(["up"], environment: Scene.impatient)
        try await work.started(up, "consensus")
        // What is no trigger has to be buried, and cannot be.
        _ = try await work.rows(
            """
            CREATE TRIGGER theirs BEFORE INSERT ON farm_dead BEGIN SELECT RAISE(ABORT, 'no graves'); END;
            INSERT INTO farm_queue (queue, body, due_at) VALUES ('queue_consensus', 'no trigger', 0)
            """)
        try await scene.produce()
        try await eventually("the role has failed") { up.error.contains("consensus failed:") }
        #expect(up.error.contains(/consensus failed: .*no graves.*; restarts in \d/), "\(up.error)")
        try await eventually("the others have done their work") {
            try await work.rows("SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM postprocessing)")
                == ["\(2 * Scene.primary)|\(2 * 4)"]
        }
        try await eventually("its heartbeat says error") {
            try await work.count(
                "SELECT count(*) FROM worker_heartbeats WHERE service_name = 'consensus' AND status = 'error'") > 0
        }
        _ = try await work.rows("DROP TRIGGER theirs")
        try await eventually("the restarted role has done its work") {
            try await work.rows("SELECT (SELECT count(*) FROM consensus), (SELECT count(*) FROM farm_queue)") == ["2|0"]
        }
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        let errors = try await work.farm("monitor", "--json").json()["errors"]?.arrayValue ?? []
        #expect(errors.contains { $0["service_name"]?.stringValue == "consensus" })
        try await scene.doubles.stop()
    }

    @Test("heartbeats that cannot be stored stop no work, and are told of once for all roles")
    func heartbeats() async throws {
        let scene = try await Scene(["clip", "yolov8"], photos: 3)
        let work = scene.workplace
        let worker = try work.start(["work", "clip", "yolov8"], environment: Scene.impatient)
        try await work.started(worker, "clip")
        _ = try await work.rows("ALTER TABLE worker_heartbeats RENAME TO away")
        try await eventually("the worker warns") { worker.error.contains("heartbeats are not stored") }
        try await scene.produce()
        try await eventually("the jobs are done") { try await work.count("SELECT count(*) FROM results") == 6 }
        _ = try await work.rows("ALTER TABLE away RENAME TO worker_heartbeats")
        try await eventually("they are stored again") { worker.error.contains("heartbeats are stored again") }
        worker.signal(SIGTERM)
        let finished = try await worker.finished()
        #expect(finished.status == 0)
        #expect(finished.error.occurrences(of: "heartbeats are not stored") == 1)
        try await scene.doubles.stop()
    }
}
