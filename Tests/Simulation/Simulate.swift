import ArgumentParser
import Doubles
import Foundation
import Model
import SimulatedWorld

@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            "Runs the roles over a simulated queue, store and network, and breaks them in ways that a seed picks.",
        discussion: """
            Each seed is a run of its own: it picks the farm, the schedule and the faults. When all faults have ended, \
            the invariants are checked. Exit 1 if one is broken: the seed and how to replay it are printed.

            Examples:
              simulate --seeds 10000
              simulate --seed 4711        this run, with its trace
              simulate --plant no-image-lock --seeds 1000
            """)

    @Option(help: "Run this seed alone and print its trace.")
    var seed: UInt64?
    @Option(help: "The first seed.")
    var first: UInt64 = 1
    @Option(help: "How many seeds.")
    var seeds: UInt64 = 10_000
    @Option(help: "How many processes, side by side; default: one a processor.")
    var processes = ProcessInfo.processInfo.activeProcessorCount
    @Option(help: "A bug that is planted, to see that it is caught.")
    var plant: Plant?
    @Flag(help: "Print the totals as JSON.")
    var json = false

    // How it calls itself.
    @Flag(help: .hidden) var share = false
    @Option(help: .hidden) var step: UInt64 = 1

    func validate() throws {
        guard seeds > 0, processes > 0, step > 0 else {
            throw ValidationError("--seeds and --processes are at least 1")
        }
    }

    func run() throws {
        if share {
            // It takes all that the processors have: whoever waits for an answer beside it goes first.
            _ = nice(10)
            let all = stride(from: first, to: first + seeds * step, by: UInt64.Stride(step))
            print(Campaign.share(all, plant: plant).json.text)
        } else if let seed {
            try replay(seed)
        } else {
            try runMany()
        }
    }

    private func replay(_ seed: UInt64) throws {
        guard Campaign.isDeterministic else {
            let child = Campaign.child(Array(CommandLine.arguments.dropFirst()))
            try child.start()
            child.waitUntilExit()
            throw ExitCode(child.terminationStatus)
        }
        let report = Run(seed: seed, plant: plant, tracing: true).report()
        print("\(report.steps) steps, \(report.jobs) jobs, way \(String(report.digest, radix: 16))")
        for violation in report.violations { print("\(violation.invariant): \(violation.detail)") }
        if !report.violations.isEmpty { throw ExitCode.failure }
    }

    private func runMany() throws {
        let start = Date()
        let campaign = Campaign(first: first, seeds: seeds, processes: min(processes, Int(seeds)), plant: plant)
        let totals = try campaign.run()
        if json { print(totals.json.text) } else { show(totals, Date().timeIntervalSince(start), campaign) }
        if !totals.failures.isEmpty { throw ExitCode.failure }
    }

    private func show(_ totals: Totals, _ seconds: Double, _ campaign: Campaign) {
        let rate = Double(totals.seeds) / max(seconds, 0.001)
        print(
            """
            \(totals.seeds) seeds from \(first) in \(String(format: "%.1f", seconds)) s \
            by \(campaign.processes) processes: \(String(format: "%.1f", rate)) seeds/s, \(totals.jobs) jobs, \(totals.steps) steps
            after the faults' end all was done within \(String(format: "%.1f", totals.recovery.seconds)) s \
            of simulated time

            """)
        for fault in Fault.allCases {
            print("\(fault)".padding(toLength: 48, withPad: " ", startingAt: 0) + "\(totals.faults[fault])")
        }
        print("")
        guard !totals.failures.isEmpty else { return print("no invariant was broken") }
        let program = CommandLine.arguments[0]
        for failure in totals.failures {
            for violation in failure.violations {
                print("seed \(failure.seed): \(violation.invariant): \(violation.detail)")
            }
            print("replay: \(program) --seed \(failure.seed)\(plant.map { " --plant \($0.rawValue)" } ?? "")")
        }
    }
}

extension Plant: ExpressibleByArgument {}
