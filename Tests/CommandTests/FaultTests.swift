import Foundation
import Testing

/// What `make faults` does at length, at a small scale.
@Suite("Faults on the real thing", .serialized)
struct FaultTests {
    @Test(
        "five faults one after another, on the file and on servers: nothing lost, nothing twice, nobody silent",
        arguments: ["embedded", "servers"])
    func faults(backend: String) async throws {
        let seed = ProcessInfo.processInfo.environment["FARM_SEED"] ?? "14"
        let workplace = try Workplace()
        let script = Program.root.appending(path: "Tests/Faults/faults.py").path
        var environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
        // The servers that it starts there end with the run's.
        environment["FARM_TEST_SERVERS"] = ProcessInfo.processInfo.environment["FARM_TEST_SERVERS"]
        let run = try Running(
            python,
            [script, "--farm", Program.url.path, "--backend", backend, "--seed", seed, "--faults", "5", "--quick"],
            in: workplace.folder, environment)
        let finished = try await run.finished()
        print(finished.output)
        #expect(finished.status == 0, "\(finished.output)\n\(finished.error)")
    }

    @Test("the table adds up the recorded runs")
    func table() async throws {
        let workplace = try Workplace()
        try "before\n<!-- faults: written by make faults -->\n<!-- faults: end -->\nafter\n"
            .write(toFile: workplace.path("table.md"), atomically: true, encoding: .utf8)
        let script = """
            import sys
            sys.path.insert(0, sys.argv[1])
            from table import Row, record
            for run in range(3):
                one = Row("embedded", "a fault", "how", 1, 10, 9, 1, 2, run, run, 4, 4)
                record([one, Row("servers", "another", "how", 1, 5, 5)], f"run {run}", "table.md")
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
                "| embedded | a fault | how | 3 | 30 | 27 | 3 | 6 | 1.0 | 2.0 | 4.0 | 4.0 |",
                "| servers | another | how | 3 | 15 | 15 | 0 | 0 | 0.0 | 0.0 | 0.0 | 0.0 |",
                "| | **all** |  | 6 | 45 | 42 | 3 | 6 | 0.5 | 2.0 | 2.0 | 4.0 |",
            ])
        #expect(lines.filter { $0.hasPrefix("- ") } == ["- run 0", "- run 1", "- run 2"])
    }

    private var python: URL {
        URL(
            fileURLWithPath: ProcessInfo.processInfo.environment["FARM_TEST_PYTHON"]
                ?? Program.root.appending(path: ".build-python/bin/python3").path)
    }
}
