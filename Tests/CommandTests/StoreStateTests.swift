import Foundation
import Model
import Testing

@Suite("A store that would refuse any row", .serialized)
struct StoreStateTests {
    private static let services = ["clip", "yolov8", "colors", "face", "pose"]
    /// Of them those that an image has jobs of.
    private static let primary = 3
    private static let said = "the store takes no rows, so nothing is done until it does"
    private static let full = "SELECT setval('results_result_id_seq', 2147483647)"
    private static let healed = "SELECT setval('results_result_id_seq', 1000)"

    private func calls(_ scene: Scene) async throws -> Int {
        var sum = 0
        for service in Self.services { sum += try await scene.doubles.calls(of: service).begun }
        return sum
    }

    /// A farm on servers with so many photos, their jobs submitted.
    private func farm(_ photos: Int, gate: Bool = false) async throws -> (Site, Scene) {
        let site = try await Site()
        let scene = try await Scene(Self.services, photos: 0, gate: gate)
        try site.write(scene.workplace)
        try scene.workplace.photos((1...photos).map { "photos/\($0).jpg" })
        let imported = try await scene.workplace.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        try await scene.produce()
        return (site, scene)
    }

    @Test("a sequence at its end: no service is called, no job dies, each command says why; mended, all is done")
    func sequence() async throws {
        let (site, scene) = try await farm(8)
        let work = scene.workplace
        try await site.query(Self.full)
        let words = "reached maximum value of sequence"
        for _ in 0..<2 {
            let up = try await scene.upUntilIdle()
            #expect(up.status == 1)
            #expect(up.error.contains("8 jobs of clip still waiting: the store takes no rows"), "\(up.error)")
            #expect(up.error.contains(words))
            #expect(up.error.occurrences(of: Self.said) == 1)
            #expect(!up.error.contains("restarts in"), "no role has ended")
        }
        #expect(try await calls(scene) == 0)
        let status = try await work.farm("status", "--json").json()
        #expect(status["refusal"]?.stringValue?.contains(words) == true)
        #expect(try await work.farm("status").output.contains(words))
        let check = try await work.farm("check")
        #expect(check.status == 1)
        #expect(check.output.contains(words), "\(check.output)")
        let waiting = try await work.farm("produce", "--services", "clip", "--limit", "1", "--wait")
        #expect(waiting.status == 1)
        #expect(waiting.error.contains(words), "\(waiting.error)")
        #expect(try await site.messages() == 8 * Self.primary + 1)

        try await site.query(Self.healed)
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(
            try await site.query("SELECT status, count(*) FROM results GROUP BY 1")
                == [["success", "\(8 * Self.primary + 1)"]])
        #expect(try await site.messages() == 0)
        #expect(try await work.farm("status", "--json").json()["refusal"] == .null)
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("a sequence that ends under the roles: what was in flight is kept, nobody else is asked; mended, they go on")
    func midway() async throws {
        let (site, scene) = try await farm(30, gate: true)
        let up = try scene.workplace.start(["up"], environment: Scene.impatient)
        // The concurrency of each service's worker.
        try await eventually("the services are asked") { try await calls(scene) == 4 * Self.primary }
        try await site.query(Self.full)
        try scene.openGate()
        try await eventually("it says so") { up.error.contains(Self.said) }
        let asked = try await calls(scene)
        #expect(asked <= 2 * 4 * Self.primary, "what was in flight when the first answer was refused")
        try await site.query(Self.healed)
        try await eventually("all is done") {
            try await site.query("SELECT count(*) FROM results") == [["\(30 * Self.primary)"]]
        }
        #expect(try await calls(scene) >= 30 * Self.primary)
        #expect(try await site.query("SELECT count(*) FROM results WHERE status = 'error'") == [["0"]])
        up.signal(SIGTERM)
        let finished = try await up.finished()
        #expect(finished.status == 0)
        #expect(finished.error.contains("the store takes rows again"))
        #expect(finished.error.occurrences(of: Self.said) == 1, "\(finished.error)")
        #expect(!finished.error.contains("restarts in"))
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("in the file: run ends with 1 and says why, a drain ends in time, and the next run does the rest")
    func file() async throws {
        let scene = try await Scene(Self.services, photos: 3)
        let work = scene.workplace
        _ = try await work.rows(
            "CREATE TRIGGER theirs BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'not today'); END")
        let first = try await work.farm(["run", "photos"])
        #expect(first.status == 1)
        #expect(first.error.contains("3 jobs of clip still waiting: the store takes no rows"), "\(first.error)")
        #expect(first.error.contains("not today"))
        let up = try work.start(["up"], environment: Scene.impatient)
        try await eventually("it says so") { up.error.contains(Self.said) }
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        #expect(try await calls(scene) == 0)
        #expect(try await work.farm("check").output.contains("not today"))
        #expect(
            try await work.rows("SELECT (SELECT count(*) FROM farm_queue), (SELECT count(*) FROM farm_dead)") == ["9|0"]
        )
        _ = try await work.rows("DROP TRIGGER theirs")
        let second = try await work.farm(["run", "photos"])
        #expect(second.status == 0, "\(second.error)")
        #expect(try await work.count("SELECT count(*) FROM results WHERE status = 'success'") == 9)
        try await scene.doubles.stop()
    }

    @Test("one value that is refused leaves an error row without it beside its dead letter")
    func value() async throws {
        let scene = try await Scene(["clip"], photos: 3)
        let work = scene.workplace
        _ = try await work.rows(
            """
            CREATE TRIGGER theirs BEFORE INSERT ON results WHEN NEW.image_id = 2 AND NEW.status = 'success'
                AND NEW.data NOT LIKE '%"farm"%'
            BEGIN SELECT RAISE(ABORT, 'not this one'); END
            """)
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(
            try await work.rows("SELECT image_id, status FROM results ORDER BY image_id")
                == ["1|success", "2|error", "3|success"], "\(up.error)")
        let row = try JSON(
            parsing: try await work.rows("SELECT data FROM results WHERE status = 'error'").joined())
        #expect(row["error"]?["kind"] == "refused")
        #expect(row["error"]?["message"]?.stringValue?.contains("not this one") == true)
        #expect(row.keys == ["error"])
        #expect(try await work.farm("dead", "--json").json().arrayValue?.first?["reason"] == "refused")
        #expect(try await work.count("SELECT count(*) FROM consensus") == 3)
        try await scene.doubles.stop()
    }
}
