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
        #expect(status.keys == ["queues", "blocked", "results", "totals", "refusal", "fault"])

        let queues = status["queues"]?.arrayValue ?? []
        for queue in queues {
            #expect(queue.keys == ["queue", "service", "waiting", "in_flight", "dead", "workers", "why"])
        }
        func queue(_ service: String) -> JSON? { queues.first { $0["service"]?.stringValue == service } }
        #expect(
            queue("clip")
                == [
                    "queue": "queue_clip", "service": "clip", "waiting": 2, "in_flight": 0, "dead": 1, "workers": 0,
                    "why": "no worker",
                ])
        #expect(queue("blip")?["waiting"]?.integerValue == 2, "another machine's queue that holds something")
        #expect(
            queue("bbox_merger")
                == [
                    "queue": "queue_bbox_merge", "service": "bbox_merger", "waiting": 0, "in_flight": 0, "dead": 0,
                    "workers": 0, "why": .null,
                ])
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
        try await scene.doubles.stop()
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
        #expect(status.output.contains(/queue_clip +1 +0 +0 +0 +no worker/))
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
