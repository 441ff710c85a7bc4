import Doubles
import Foundation
import Model
import SimulatedWorld

/// Runs many seeds, side by side in processes of their own: a run is on one thread, and repeats itself exactly only where
/// Swift hashes without a seed of the process, which has to be asked for before it starts.
struct Campaign {
    var first: UInt64
    var seeds: UInt64
    var processes: Int
    var plant: Plant?

    private static let hashing = "SWIFT_DETERMINISTIC_HASHING"

    /// Whether a run in this process would be repeatable.
    static var isDeterministic: Bool { ProcessInfo.processInfo.environment[hashing] != nil }

    // MARK: Children

    /// A process of this program that runs seeds itself.
    static func child(_ arguments: [String]) -> Process {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = arguments
        child.environment = ProcessInfo.processInfo.environment.merging([hashing: "1"]) { _, new in new }
        return child
    }

    /// Each process takes every n-th seed, so that all have as many long ones.
    func run() throws -> Totals {
        let children = try (0..<UInt64(processes)).map { number -> (Process, Pipe) in
            let count = (seeds + UInt64(processes) - 1 - number) / UInt64(processes)
            var arguments = [
                "--share", "--first", "\(first + number)", "--seeds", "\(count)", "--step", "\(processes)",
            ]
            if let plant { arguments += ["--plant", plant.rawValue] }
            let (child, output) = (Campaign.child(arguments), Pipe())
            child.standardOutput = output
            try child.start()
            return (child, output)
        }
        var totals = Totals()
        for (child, output) in children {
            let answer = output.fileHandleForReading.readDataToEndOfFile()
            child.waitUntilExit()
            guard child.terminationStatus == 0, let json = try? JSON(parsing: Array(answer)) else {
                throw CampaignFailure(
                    description: "a process of the simulation ended with \(child.terminationStatus): "
                        + String(decoding: answer.suffix(2000), as: UTF8.self))
            }
            totals += Totals(json)
        }
        totals.failures.sort { $0.seed < $1.seed }
        return totals
    }

    /// The seeds of one process; the first that breaks an invariant is its last.
    static func share(_ seeds: StrideTo<UInt64>, plant: Plant?) -> Totals {
        var totals = Totals()
        for seed in seeds where totals.failures.isEmpty { totals.add(Run(seed: seed, plant: plant).report()) }
        return totals
    }
}

/// The simulation itself broke.
struct CampaignFailure: Error, CustomStringConvertible {
    var description: String
}
