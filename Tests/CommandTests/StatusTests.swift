import Foundation
import Model
import Testing

@Suite("farm status")
struct StatusTests {
    @Test("--json has the contract's shape")
    func shape() async throws {
        let scene = try await Scene(
            ["clip", "yolov8", "colors", "face", "pose"], photos: 2, failing: [("clip", "1.jpg")])
        try await scene.produce()
        #expect(try await scene.upUntilIdle().status == 1)
        #expect(try await scene.workplace.farm("produce", "-s", "clip,blip").status == 0)
        let finished = try await scene.workplace.farm("status", "--json")
        #expect(finished.status == 0)
        #expect(finished.error.isEmpty)
        let status = try finished.json()
        #expect(status.keys == ["queues", "blocked", "results", "totals", "counted", "refusal", "fault"])

        let queues = status["queues"]?.arrayValue ?? []
        let names = [
            "queue", "service", "waiting", "in_flight", "dead", "paused", "paused_by", "paused_until", "pause_reason",
            "rate_limit", "concurrency", "obeying", "workers", "oldest_seconds", "done_per_second", "eta_seconds",
            "why",
        ]
        for queue in queues { #expect(queue.keys == names) }
        func queue(_ service: String) -> JSON? { queues.first { $0["service"]?.stringValue == service } }
        let clip = try #require(queue("clip"))
        #expect(try #require(clip["oldest_seconds"]?.numberValue) >= 0)
        #expect(try #require(clip["done_per_second"]?.numberValue) > 0, "its rows came in just now")
        let counts = ["queue", "service", "waiting", "in_flight", "dead", "workers"]
        #expect(counts.map { clip[$0] ?? .null } == ["queue_clip", "clip", 2, 0, 1, 0])
        #expect(clip["eta_seconds"] == .null, "nobody works on it")
        #expect(clip["why"] == "no worker")
        #expect(queue("blip")?["waiting"]?.integerValue == 2, "another machine's queue that holds something")
        let merger = try #require(queue("bbox_merger"))
        #expect(counts.map { merger[$0] ?? .null } == ["queue_bbox_merge", "bbox_merger", 0, 0, 0, 0])
        #expect(merger["oldest_seconds"] == .null)
        #expect(merger["why"] == .null, "nothing waits")
        #expect(queue("spatial_enrichment")?["queue"]?.stringValue == "queue_spatial_enrichment")
        #expect(queue("consensus")?["queue"]?.stringValue == "queue_consensus")

        let results = status["results"]?.arrayValue ?? []
        for result in results { #expect(result.keys == ["service", "success", "error", "last", "p50", "p95"]) }
        #expect(results.map { $0["service"]?.stringValue } == ["clip", "colors", "yolov8"])
        #expect(results.map { $0["success"]?.integerValue } == [1, 2, 2])
        #expect(results.map { $0["error"]?.integerValue } == [1, 0, 0])
        #expect(results.last?["p50"]?.numberValue == 0.01)
        #expect(results.last?["p95"]?.numberValue == 0.01)
        #expect(results.last?["last"]?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/) != nil)

        // One detector alone: both its boxes of each image stay. A dog is asked about once, a person three times.
        #expect(
            status["totals"]
                == [
                    "images": 2, "results": 6, "merged_boxes": 4, "consensus": 2, "postprocessing": 8,
                    "postprocessing_failed": 0,
                ])
        #expect(status["counted"]?["exact"] == true)
        #expect(status["counted"]?["at"]?.stringValue != nil)
        try await scene.doubles.stop()
    }

    @Test("counts over 10,000 are marked, until --exact counts them and sets right what is kept")
    func counts() async throws {
        let workplace = try await Workplace.prepared(images: 1)
        _ = try await workplace.rows(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10020)
            INSERT INTO results (image_id, service, data, status) SELECT 1, 'clip', '{}', 'success' FROM n;
            UPDATE farm_counts SET amount = 10027 WHERE relation = 'results' AND service = 'clip'
            """)
        let kept = try await workplace.farm("status")
        #expect(kept.output.contains(/clip +≈10027 +0\s/), "\(kept.output)")
        #expect(kept.output.contains("1 images, ≈10027 results, 0 merged boxes"), "\(kept.output)")
        #expect(kept.output.contains(/≈: kept with every write since all rows were counted \d+ s ago; --exact/))
        let json = try await workplace.farm("status", "--json").json()
        #expect(json["counted"]?["exact"] == false)
        #expect(json["totals"]?["results"]?.integerValue == 10_027)

        let exact = try await workplace.farm("status", "--exact")
        #expect(exact.output.contains(/clip +10020 +0\s/), "\(exact.output)")
        #expect(!exact.output.contains("≈"))
        #expect(try await workplace.farm("status", "--exact", "--json").json()["counted"]?["exact"] == true)
        let after = try await workplace.farm("status", "--json").json()
        #expect(after["totals"]?["results"]?.integerValue == 10_020)
    }

    @Test("the text shows queues, results and totals, without colour where there is no terminal")
    func text() async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)])
        try workplace.photos(["photos/1.jpg"])
        #expect(try await workplace.farm("import", "photos").status == 0)
        #expect(try await workplace.farm("produce").status == 0)
        let status = try await workplace.farm("status")
        #expect(status.status == 0)
        #expect(status.output.contains(/queue_clip +1 +0 +0 +0 +\d+ s +- +- +no worker/))
        #expect(status.output.contains("1 images, 0 results"))
        #expect(status.output.contains("queue_bbox_merge"))
        #expect(!status.output.contains("\u{1B}"))
        #expect(status.error.isEmpty)
    }

    @Test("what cannot be written to standard output is a failure; a reader that went away is none")
    func output() async throws {
        let workplace = try Workplace()
        let full = try await workplace.bash("$FARM status > /dev/full")
        #expect(full.status == 1)
        #expect(full.error.contains("standard output: cannot be written: No space left"))
        let gone = try await workplace.bash("$FARM status --json > >(exec true); exit $?")
        #expect(gone.status == 0, "\(gone.error)")
    }

    @Test("a standard output that is closed is told as such", arguments: ["status", "--help", "export --format csv"])
    func closedOutput(_ command: String) async throws {
        let workplace = try await Workplace.prepared(images: 1)
        let closed = try await workplace.bash("$FARM \(command) >&-")
        #expect(closed.status == 1)
        #expect(closed.error == "farm: standard output is closed\n")
    }

    @Test("nothing is written into a file or a connection in the place of a standard error that is closed")
    func closedError() async throws {
        let workplace = try await Workplace.prepared(images: 1)
        let damaged = try await workplace.bash(
            "QUEUE_NAME=x $FARM status <&- 2>&-; sqlite3 farm.db 'PRAGMA integrity_check'")
        #expect(damaged.output.contains("1 images, 0 results"))
        #expect(damaged.output.hasSuffix("ok\n"))
    }

    @Test("--watch ends when its reader is gone", arguments: ["status", "status --json", "monitor"])
    func reader(_ command: String) async throws {
        let workplace = try await Workplace.prepared()
        // The shell waits for both: it would wait for ever.
        let watch = try await workplace.bash("$FARM \(command) --watch | head -1; exit ${PIPESTATUS[0]}")
        #expect(watch.status == 0, "\(watch.error)")
        #expect(watch.output.split(separator: "\n").count == 1)
        #expect(watch.error.isEmpty)
    }

    @Test("--watch prints again until it is interrupted")
    func watch() async throws {
        let workplace = try Workplace()
        let watch = try workplace.start(["status", "--watch", "--json"])
        try await eventually("two prints") { watch.output.occurrences(of: "totals") >= 2 }
        watch.signal(SIGINT)
        #expect(try await watch.finished().status == 130)
    }
}
