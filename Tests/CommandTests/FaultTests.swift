import Foundation
import Testing

/// What `make faults` does at length, at a small scale.
@Suite("Faults on the real thing", .serialized)
struct FaultTests {
    @Test(
        "five faults one after another, on the file and on servers: nothing lost, nothing twice, nobody silent",
        arguments: ["embedded", "servers"])
    func faults(backend: String) async throws {
        try await run(backend, faults: 5)
    }

    private func run(_ backend: String, faults: Int, _ others: [String] = []) async throws {
        let seed = ProcessInfo.processInfo.environment["FARM_SEED"] ?? "14"
        let workplace = try Workplace()
        let script = Program.root.appending(path: "Tests/Faults/faults.py").path
        var environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
        // The servers that it starts there end with the run's, and are of the same release of Debian.
        for name in ["FARM_TEST_SERVERS", "SERVERS"] {
            environment[name] = ProcessInfo.processInfo.environment[name]
        }
        let run = try Running(
            python,
            [
                script, "--farm", Program.url.path, "--backend", backend, "--seed", seed, "--faults", "\(faults)",
                "--quick",
            ] + others, in: workplace.folder, environment)
        let finished = try await run.finished()
        print(finished.output)
        #expect(finished.status == 0, "\(finished.output)\n\(finished.error)")
    }

    @Test(
        "farm drained and started anew box by box on the same queues: nothing lost, nothing twice",
        arguments: ["embedded", "servers"])
    func rollingUpgrade(backend: String) async throws {
        try await run(backend, faults: 1, ["--before", Program.url.path])
    }

    @Test("a deleted queue excuses no more jobs than it held, of its service and of batches up to then")
    func takenByBroker() async throws {
        let workplace = try Workplace()
        let script = """
            import sys
            sys.path.insert(0, sys.argv[1])
            from types import SimpleNamespace as Batch
            from audit import TakenByBroker
            from catalogue import Deleted
            taken = TakenByBroker([Deleted("clip", 3, 2)])
            asked = [("clip", 4), ("blip", 3), ("clip", 3), ("clip", 0), ("clip", 3)]
            print([taken.covers(service, Batch(fault=fault)) for service, fault in asked])
            """
        let folder = Program.root.appending(path: "Tests/Faults").path
        let finished = try await Running(
            python, ["-c", script, folder], in: workplace.folder, ["PATH": "/usr/bin:/bin"]
        ).finished()
        #expect(finished.output == "[False, False, True, True, False]\n", "\(finished.error)")
    }

    @Test("the table adds up the recorded runs")
    func table() async throws {
        let workplace = try Workplace()
        try "before\n<!-- faults: written by make faults -->\n<!-- faults: end -->\nafter\n"
            .write(toFile: workplace.path("table.md"), atomically: true, encoding: .utf8)
        let script = """
            import sys
            sys.path.insert(0, sys.argv[1])
            from types import SimpleNamespace as Counts
            from table import Row, record
            for run in range(3):
                counts = Counts(jobs=10, rows=9, lost=1, duplicates=2)
                one = Row.once("embedded", "a fault", "how", counts, run, [4, 60, None][run], [7, 0, None][run])
                two = Row.once("servers", "another", "how", Counts(jobs=5, rows=5, lost=0, duplicates=0), 0, None, 1)
                record([one, two], f"run {run}", "table.md")
            """
        let folder = Program.root.appending(path: "Tests/Faults").path
        let finished = try await Running(
            python, ["-c", script, folder], in: workplace.folder, ["PATH": "/usr/bin:/bin"]
        ).finished()
        #expect(finished.status == 0, "\(finished.error)")
        let lines = try String(contentsOfFile: workplace.path("table.md"), encoding: .utf8).split(separator: "\n")
        #expect(lines.first == "before" && lines.last == "after")
        let figures = lines.filter { $0.hasPrefix("|") }.dropFirst(2)
        #expect(
            Array(figures) == [
                "| embedded | a fault | how | 3 | 1 of 2 | 30 | 27 | 3 | 6 | 1.0 | 2.0 | 1 of 2 | 32.0 | 60.0 |",
                "| servers | another | how | 3 | 3 of 3 | 15 | 15 | 0 | 0 | 0.0 | 0.0 | 0 of 0 | – | – |",
                "| | **all** |  | 6 | 4 of 5 | 45 | 42 | 3 | 6 | 0.5 | 2.0 | 1 of 2 | 32.0 | 60.0 |",
            ])
        #expect(lines.filter { $0.hasPrefix("- ") } == ["- run 0", "- run 1", "- run 2"])
    }

    private var python: URL {
        URL(
            fileURLWithPath: ProcessInfo.processInfo.environment["FARM_TEST_PYTHON"]
                ?? Program.root.appending(path: ".build-python/bin/python3").path)
    }
}
