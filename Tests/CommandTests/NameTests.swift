import Foundation
import Testing

@Suite("Names the program is called by")
struct NameTests {
    static let roles = ["produce", "work", "merge", "consense", "enrich", "monitor"]
    static let olderNames = [
        "generic_producer": "produce", "generic_worker": "work", "bbox_merger_worker": "merge",
        "consensus_worker": "consense", "spatial_enrichment_worker": "enrich", "monitor_workers": "monitor",
    ]

    @Test("a symlink runs the role it is named after", arguments: roles.flatMap { [($0, $0), ("farm-" + $0, $0)] })
    func role(_ name: String, _ role: String) async throws {
        let help = try await Workplace().farm("--help", calledAs: name)
        #expect(help.status == 0)
        #expect(help.output.contains("farm \(role)"))
        #expect(!help.output.contains("SUBCOMMANDS"))
    }

    @Test(
        "the older scripts' names run their role, with .py too",
        arguments: olderNames.flatMap { [($0, $1), ($0 + ".py", $1)] })
    func olderName(_ name: String, _ role: String) async throws {
        let help = try await Workplace().farm("--help", calledAs: name)
        #expect(help.status == 0)
        #expect(help.output.contains("USAGE: farm \(role)"))
    }

    @Test("any other name is farm itself")
    func otherName() async throws {
        let help = try await Workplace().farm("status", "--json", calledAs: "animal_farm")
        #expect(help.status == 0)
        #expect(try help.json()["totals"] != nil)
    }

    @Test("SERVICE_NAME=blip generic_worker serves blip, says what it uses, and drains on SIGTERM")
    func genericWorker() async throws {
        let workplace = try Workplace()
        let worker = try workplace.start([], environment: ["SERVICE_NAME": "blip"], calledAs: "generic_worker")
        try await workplace.started(worker, "blip")
        worker.signal(SIGTERM)
        let finished = try await worker.finished()
        #expect(finished.status == 0)
        #expect(finished.output.isEmpty)
        #expect(finished.error.contains("worker blip"))
        #expect(finished.error.contains("queue, store and heartbeats in farm.db"))
    }

    @Test("a post-processing role under its older name serves its queue")
    func olderRole() async throws {
        let workplace = try Workplace()
        let merger = try workplace.start([], calledAs: "bbox_merger_worker.py")
        try await workplace.started(merger, "bbox_merger")
        merger.signal(SIGTERM)
        let finished = try await merger.finished()
        #expect(finished.status == 0)
        #expect(finished.error.contains("bbox_merger: queue, store and heartbeats in farm.db"))
    }

    @Test("generic_producer --services all --group coco2017 --limit 1000 does what it always did")
    func genericProducer() async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg", "photos/2.jpg", "others/3.jpg"])
        #expect(try await workplace.farm("import", "photos", "--group", "coco2017").status == 0)
        #expect(try await workplace.farm("import", "others").status == 0)
        let produced = try await workplace.farm(
            "--services", "all", "--group", "coco2017", "--limit", "1000", calledAs: "generic_producer")
        #expect(produced.status == 0, "\(produced.error)")
        #expect(try await workplace.count("SELECT count(*) FROM farm_queue") == 2 * 11, "without face and pose")
        let short = try await workplace.farm(
            "-s", "clip,ocr", "-g", "coco2017", "-l", "1", "-d", "0.001", calledAs: "generic_producer.py")
        #expect(short.status == 0, "\(short.error)")
        #expect(try await workplace.count("SELECT count(*) FROM farm_queue") == 2 * 11 + 2)
    }

    @Test(
        "monitor_workers takes its older flags, long and short",
        arguments: [
            ["--dead-threshold", "10", "--performance-window", "30", "--errors-window", "120"],
            ["-d", "10", "-p", "30", "-e", "120"],
        ])
    func monitor(_ arguments: [String]) async throws {
        let finished = try await Workplace().farm(arguments, calledAs: "monitor_workers")
        #expect(finished.status == 0, "\(finished.error)")
        for minutes in ["10 min", "30 min", "120 min"] { #expect(finished.output.contains(minutes)) }
    }
}
