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
        let python =
            ProcessInfo.processInfo.environment["FARM_TEST_PYTHON"]
            ?? Program.root.appending(path: ".build-python/bin/python3").path
        // The servers that it starts there end with the run's.
        environment["FARM_TEST_SERVERS"] = ProcessInfo.processInfo.environment["FARM_TEST_SERVERS"]
        let run = try Running(
            URL(fileURLWithPath: python),
            [script, "--farm", Program.url.path, "--backend", backend, "--seed", seed, "--faults", "5", "--quick"],
            in: workplace.folder, environment)
        let finished = try await run.finished()
        print(finished.output)
        #expect(finished.status == 0, "\(finished.output)\n\(finished.error)")
    }
}
