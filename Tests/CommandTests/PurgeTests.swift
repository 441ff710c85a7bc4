import Foundation
import Model
import Testing

@Suite("farm purge")
struct PurgeTests {
    private func workplace() async throws -> Workplace {
        let workplace = try await Workplace.prepared(images: 6)
        try await workplace.submit(6, to: "clip")
        try await workplace.submit(6, to: "blip")
        try await workplace.submit(2, to: "consensus")
        return workplace
    }

    @Test("--service drops the jobs of services, --all those of every service; triggers only where their role is named")
    func services() async throws {
        let workplace = try await workplace()
        let dry = try await workplace.farm("purge", "--service", "clip", "--dry-run")
        #expect(dry.status == 0)
        #expect(dry.output == "6 waiting jobs would be dropped: 6 of clip\n")
        #expect(try await workplace.waiting().count == 3)
        let clip = try await workplace.farm("purge", "--service", "clip", "--yes")
        #expect(clip.status == 0)
        #expect(clip.output == "6 waiting jobs dropped: 6 of clip\n")
        #expect(try await workplace.waiting() == ["queue_blip|6", "queue_consensus|2"])
        let all = try await workplace.farm("purge", "--all", "--yes", "--json")
        #expect(try all.json()["jobs"]?.integerValue == 6)
        #expect(try all.json()["dry_run"]?.boolValue == false)
        let blip = try #require(
            try all.json()["queues"]?.arrayValue?.first { $0["service"]?.stringValue == "blip" })
        #expect(blip == ["queue": "queue_blip", "service": "blip", "jobs": 6])
        #expect(try await workplace.waiting() == ["queue_consensus|2"])
        let triggers = try await workplace.farm("purge", "--service", "consensus", "--yes")
        #expect(triggers.output == "2 waiting messages dropped: 2 of consensus\n")
        #expect(try await workplace.waiting().isEmpty)
    }

    @Test("--group drops the jobs of its images and leaves the others in their order; what is no job stays")
    func group() async throws {
        let workplace = try await workplace()
        try await workplace.submit(1, to: "yolov8")
        _ = try await workplace.rows("UPDATE farm_queue SET body = x'7b' WHERE queue = 'queue_yolov8'")
        let left =
            "SELECT queue, json_extract(body, '$.image_id') FROM farm_queue WHERE queue = 'queue_clip' ORDER BY due_at"
        let dry = try await workplace.farm("purge", "--group", "odd", "--dry-run", "--json")
        #expect(try dry.json()["jobs"]?.integerValue == 6)
        let one = try await workplace.farm("purge", "--group", "odd", "--service", "clip", "--yes")
        #expect(one.output == "3 waiting jobs dropped: 3 of clip\n")
        #expect(try await workplace.rows(left) == ["queue_clip|2", "queue_clip|4", "queue_clip|6"])
        let rest = try await workplace.farm("purge", "--group", "odd", "--yes")
        #expect(rest.output == "3 waiting jobs dropped: 3 of blip\n")
        #expect(
            try await workplace.waiting() == ["queue_blip|3", "queue_clip|3", "queue_consensus|2", "queue_yolov8|1"])
        let none = try await workplace.farm("purge", "--group", "nobody", "--yes")
        #expect(none.status == 1)
        #expect(none.error.contains("no image in group nobody"))
    }

    @Test("what a worker has taken goes on, and is told of")
    func inFlight() async throws {
        let workplace = try await workplace()
        _ = try await workplace.rows(
            "UPDATE farm_queue SET holder = 99 WHERE queue = 'queue_clip' AND due_at IN (1, 2)")
        for filter in [["--group", "odd"], ["--service", "clip"]] {
            let purged = try await workplace.farm(["purge", "--yes"] + filter)
            #expect(purged.status == 0)
            #expect(purged.error == "farm: 2 messages in flight, which workers will finish\n")
        }
        #expect(try await workplace.rows("SELECT due_at FROM farm_queue WHERE queue = 'queue_clip'") == ["1", "2"])
    }

    @Test("it wants to be told what, and asks; elsewhere than on a terminal it needs --yes")
    func confirmation() async throws {
        let workplace = try await workplace()
        for (arguments, hint) in [
            (["purge"], "--all"), (["purge", "--yes"], "--all"), (["purge", "--all", "--group", "odd"], "--all"),
            (["purge", "--all"], "--yes"), (["purge", "--service", "cilp", "--yes"], "clip"),
        ] {
            let refused = try await workplace.farm(arguments)
            #expect(refused.status == 2)
            #expect(refused.error.contains(hint), "\(arguments)")
        }
        let declined = try await workplace.farm("purge --service clip", typing: "\\n")
        #expect(declined.status == 1)
        #expect(declined.output.contains("Drop 6 waiting jobs: 6 of clip? [y/N]"))
        #expect(try await workplace.waiting() == ["queue_blip|6", "queue_clip|6", "queue_consensus|2"])
        #expect(try await workplace.farm("purge --service clip --group even", typing: "y\\n").status == 0)
        #expect(try await workplace.waiting() == ["queue_blip|6", "queue_clip|3", "queue_consensus|2"])
    }
}
