import Model
import SimulatedWorld

/// What many runs add up to.
struct Totals: Sendable {
    /// A run that broke an invariant.
    struct Failure: Sendable {
        var seed: UInt64
        var violations: [Violation]
    }

    var seeds = 0
    var steps = 0
    var jobs = 0
    /// The longest that any run took from the end of its faults until all was done.
    var recovery = VirtualTime.seconds(0)
    var faults = Tally<Int>()
    var failures: [Failure] = []

    mutating func add(_ report: Run.Report) {
        seeds += 1
        steps += report.steps
        jobs += report.jobs
        recovery = max(recovery, report.recovery)
        faults += report.tally
        if !report.violations.isEmpty { failures.append(Failure(seed: report.seed, violations: report.violations)) }
    }

    static func += (left: inout Totals, right: Totals) {
        left.seeds += right.seeds
        left.steps += right.steps
        left.jobs += right.jobs
        left.recovery = max(left.recovery, right.recovery)
        left.faults += right.faults
        left.failures += right.failures
    }
}

// MARK: JSON

extension Totals {
    var json: JSON {
        .object([
            "seeds": .int(Int64(seeds)), "steps": .int(Int64(steps)), "jobs": .int(Int64(jobs)),
            "longest_recovery_seconds": .double(recovery.seconds),
            "faults": .object(Fault.allCases.map { JSON.Member("\($0)", .int(Int64(faults[$0]))) }),
            "failures": .array(failures.map(\.json)),
        ])
    }

    init(_ json: JSON) {
        seeds = json["seeds"]?.integerValue ?? 0
        steps = json["steps"]?.integerValue ?? 0
        jobs = json["jobs"]?.integerValue ?? 0
        let seconds = json["longest_recovery_seconds"]?.numberValue ?? 0
        recovery = VirtualTime(microseconds: Int64((seconds * 1_000_000).rounded()))
        for fault in Fault.allCases { faults[fault] = json["faults"]?["\(fault)"]?.integerValue ?? 0 }
        failures = (json["failures"]?.arrayValue ?? []).map(Failure.init)
    }
}

extension Totals.Failure {
    fileprivate var json: JSON {
        .object([
            "seed": .string("\(seed)"),
            "violations": .array(
                violations.map { .object(["invariant": .string($0.invariant), "detail": .string($0.detail)]) }),
        ])
    }

    fileprivate init(_ json: JSON) {
        seed = json["seed"]?.stringValue.flatMap { UInt64($0) } ?? 0
        violations = (json["violations"]?.arrayValue ?? []).map {
            Violation($0["invariant"]?.stringValue ?? "", $0["detail"]?.stringValue ?? "")
        }
    }
}
