import Foundation
import Model
import Servers
import Testing

@Suite("A broker with limits of its own")
struct BrokerLimitTests {
    private static let quorum = #"{<<"x-queue-type">>, longstr, <<"quorum">>}"#

    @Test(
        "a queue with a delivery limit of 1 has all its jobs, as they came, after 24 drains while the service hangs",
        arguments: [false, true])
    func drains(byPolicy: Bool) async throws {
        let site = try await Site()
        let scene = try await Scene(["clip"], photos: 0, gate: true)
        let (workplace, neighbour) = (scene.workplace, Neighbour(workplace: scene.workplace))
        try site.write(workplace, other: ["SHUTDOWN_TIMEOUT": "3"])
        try workplace.photos((1...5).map { "photos/\($0).jpg" })
        try #require(try await workplace.farm("import", "photos").status == 0)
        if byPolicy {
            try await site.rabbitMQ.control(
                "set_policy", "-p", site.queue.name, "limit", ".*", #"{"delivery-limit": 1}"#, "--apply-to", "queues")
        }
        let limit = byPolicy ? "" : #", {<<"x-delivery-limit">>, long, 1}"#
        try await site.make("queue_clip", Self.quorum + limit)
        try await site.make("other", "")
        try await neighbour.decorate("other")
        let original = try #require(try await neighbour.look(at: "other").first)
        try await neighbour.decorate("queue_clip")
        try #require(try await workplace.farm("produce").status == 0)

        for _ in 0..<24 {
            let before = try await scene.doubles.calls(of: "clip").begun
            let work = try workplace.start(["work", "clip"])
            try await eventually("four calls") { try await scene.doubles.calls(of: "clip").begun >= before + 4 }
            work.signal(SIGTERM)
            #expect(try await work.finished().status == 0)
        }
        try await eventually("all are ready again") { try await site.leased() == 0 }
        let messages = try await neighbour.look(at: "queue_clip")
        // A process that ran out of time between a copy and its acknowledgement has left both: the job is done once.
        #expect(Set(messages.compactMap { $0["body"]?.stringValue }).count == 6)
        // A quorum queue tells its count every few seconds.
        try await eventually("none is dead, none is anywhere else") { try await site.messages() == 0 }
        let copy = try #require(messages.first { $0["body"] == original["body"] })
        var headers = try #require(copy["headers"]?.objectValue)
        #expect(headers.contains { $0.key == "x-farm-redelivered" })
        // The broker's own count is there where the last process ran out of time.
        headers.removeAll { ["x-farm-redelivered", "x-delivery-count"].contains($0.key) }
        #expect(JSON.object(headers) == original["headers"], "types too")
        var properties = try #require(original["properties"]?.objectValue)
        // The broker would hold it against the copy's sender.
        for index in properties.indices where properties[index].key == "user_id" { properties[index].value = "None" }
        #expect(copy["properties"] == .object(properties))
        #expect(try await site.query("SELECT count(*) FROM results") == [["0"]])
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("produce fills the other queues while one is full, and tells what is in and what it waits for")
    func fullQueue() async throws {
        let site = try await Site()
        let scene = try await Scene(["clip", "colors"], photos: 0)
        try site.write(scene.workplace)
        try scene.workplace.photos((1...600).map { "photos/\($0).jpg" })
        try #require(try await scene.workplace.farm("import", "photos").status == 0)
        try await site.make(
            "queue_clip", #"{<<"x-max-length">>, long, 10}, {<<"x-overflow">>, longstr, <<"reject-publish">>}"#)
        let produce = try scene.workplace.start(["produce", "--json"])
        try await eventually("the other queue has all") { try await site.ready(in: "queue_colors") == 600 }
        try await eventually("it tells") { produce.error.contains("waiting for queue_clip") }
        produce.signal(SIGINT)
        let finished = try await produce.finished()
        #expect(finished.status == 130)
        let clip = try await site.ready(in: "queue_clip")
        #expect(10..<600 ~= clip)
        #expect(try await site.ready(in: "queue_colors") == 600, "none is sent twice")
        let counts = try finished.json()
        #expect(counts["jobs"]?.integerValue == 600 + clip)
        #expect(counts["waiting"]?.arrayValue?.first?["queue"] == "queue_clip")
        #expect(finished.error.contains("farm: queue_clip took no more"))
        #expect(finished.error.contains("stopped after \(600 + clip) jobs"))
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("check refuses streams, warns of what may have a delivery limit, and opens the channels that roles open")
    func check() async throws {
        let site = try await Site()
        let scene = try await Scene(["clip", "colors", "face", "pose"], photos: 0)
        try site.write(scene.workplace)
        try #require(try await scene.workplace.farm("init").status == 0)
        let well = try await scene.workplace.farm("check")
        #expect(well.status == 0, "\(well.output)")
        #expect(!well.output.contains("delivery limit"))

        for queue in ["queue_clip", "queue_pose.dead"] {
            try await site.rabbitMQ.control("delete_queue", "-p", site.queue.name, queue)
            try await site.make(queue, #"{<<"x-queue-type">>, longstr, <<"stream">>}"#)
        }
        try await site.rabbitMQ.control("delete_queue", "-p", site.queue.name, "queue_colors.dead")
        try await site.make("queue_colors.dead", Self.quorum)
        // Five consumers and a channel to ask about queues.
        try await site.rabbitMQ.control("set_user_limits", site.queue.user, #"{"max-channels": 4}"#)
        let ill = try await scene.workplace.farm("check")
        #expect(ill.status == 1)
        let lines = ill.output.split(separator: "\n")
        for queue in ["queue_clip", "queue_pose.dead"] {
            #expect(lines.contains { $0.hasPrefix("failed") && $0.contains("\(queue): a stream") }, "\(ill.output)")
        }
        #expect(
            lines.contains {
                $0.hasPrefix("warning") && $0.contains("queue_colors.dead: perhaps with a delivery limit")
            },
            "\(ill.output)")
        #expect(
            lines.contains { $0.hasPrefix("failed") && $0.contains("6 channels") && $0.contains("the broker said: ") },
            "\(ill.output)")

        let work = try scene.workplace.start(["work", "clip"])
        try await eventually("the worker refuses the stream") { work.error.contains("perhaps it is a stream") }
        work.signal(SIGTERM)
        _ = try await work.finished()

        try await site.rabbitMQ.control("set_vhost_limits", "-p", site.queue.name, #"{"max-connections": 0}"#)
        let crowded = try await scene.workplace.farm("check")
        #expect(crowded.output.contains("the broker said: NOT_ALLOWED"), "\(crowded.output)")
        let waiting = try scene.workplace.start(["work", "clip"])
        try await eventually("it waits for a place") {
            waiting.error.contains("waiting for it") && waiting.error.contains("the broker said: NOT_ALLOWED")
        }
        waiting.signal(SIGTERM)
        _ = try await waiting.finished()
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("check names the right to make dead queues")
    func deadQueues() async throws {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)], roles: false)
        try site.write(workplace)
        for queue in ["clip", "bbox_merge", "spatial_enrichment", "consensus"] {
            try await site.make("queue_\(queue)", "")
        }
        try await site.rabbitMQ.control(
            "set_permissions", "-p", site.queue.name, site.queue.user, "^queue_[a-z_]+$", ".*", ".*")
        let check = try await workplace.farm("check")
        #expect(check.output.contains("lacks the right to configure"), "\(check.output)")
        await site.remove()
    }
}

extension Site {
    /// Another program's queue.
    fileprivate func make(_ name: String, _ arguments: String) async throws {
        try await rabbitMQ.evaluate(
            """
            rabbit_amqqueue:declare(rabbit_misc:r(<<"\(queue.name)">>, queue, <<"\(name)">>), true, false, [\(arguments)],
                none, <<"test">>).
            """)
    }
}
