import Foundation
import Testing

/// The simulation as `make simulate` runs it: a process of its own, since what is repeatable is one thread that nothing
/// else disturbs.
@Suite("Simulated runs")
struct SimulationTests {
    /// FARM_SEEDS makes it more, or fewer.
    private static let seeds = ProcessInfo.processInfo.environment["FARM_SEEDS"] ?? "10000"

    @Test("of every seed keep the invariants")
    func everySeed() async throws {
        let run = try await Simulator.run("--seeds", Self.seeds)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.hasPrefix("\(Self.seeds) seeds"))
        #expect(run.output.contains("no invariant was broken"))
        for line in run.lines.dropFirst(3).prefix(while: { !$0.isEmpty }) {
            #expect(!line.hasSuffix(" 0"), "a fault that never happens shows nothing: \(line)")
        }
    }

    @Test("of one seed are one run, trace and all")
    func replay() async throws {
        let (first, second) = (try await Simulator.run("--seed", "8"), try await Simulator.run("--seed", "8"))
        #expect(first.status == 0, "\(first.output.suffix(2000))")
        #expect(first.lines.count > 50)
        #expect(first.output == second.output)
        let other = try await Simulator.run("--seed", "9")
        #expect(first.output != other.output)
    }

    @Test(
        "catch a planted bug within 1,000 seeds, and say how to see it again",
        arguments: [
            // Of a message that is lost: a job, what should have followed from one, or why it was refused.
            ("acknowledge-before-commit", ["one result per job", "each dead letter with its reason"]),
            ("publish-without-confirm", ["one result per job", "no trigger missing"]),
            ("no-image-lock", ["as in a sequential run"]), ("no-idempotency", ["one result per job"]),
            ("forgetful-window", ["each job submitted once"]), ("deaf-to-pauses", ["no call in a pause"]),
            ("blind-probe", ["each dead letter with its reason", "one result per job"]),
        ])
    func planted(_ plant: String, _ invariants: [String]) async throws {
        let run = try await Simulator.run("--seeds", "1000", "--plant", plant)
        #expect(run.status == 1)
        let broken = try #require(run.lines.first { $0.hasPrefix("seed ") }, "\(run.output)")
        let invariant = try #require(invariants.first { broken.contains($0) }, "\(broken)")
        let command = try #require(run.lines.first { $0.hasPrefix("replay: ") })
        let again = try await Simulator.run(command.split(separator: " ").dropFirst(2).map(String.init))
        #expect(again.status == 1)
        #expect(again.output.contains(invariant))
    }

    @Test("are asked for with arguments that make sense")
    func arguments() async throws {
        #expect(try await Simulator.run("--help").output.contains("--seed"))
        #expect(try await Simulator.run("--seeds", "0").status != 0)
        #expect(try await Simulator.run("--plant", "weeds").status != 0)
    }
}
