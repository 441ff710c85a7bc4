import Model
import Pipeline

/// The result of a round through dead letters, by reason.
package struct DeadTally {
    /// How many reasons are counted separately, since a letter may contain any text.
    private static let reasonLimit = 20
    private static let rest = "other reasons"

    /// How many letters were looked at.
    package var seen = 0
    /// How many of the selected letters were handled.
    package private(set) var done = 0
    private var reasons: [String: Int] = [:]

    package init() {}

    /// Counts letters that were handled.
    package mutating func add(_ letters: [DeadMessage]) {
        done += letters.count
        for letter in letters {
            let isCounted = reasons[letter.reason] != nil || reasons.count < DeadTally.reasonLimit
            reasons[isCounted ? letter.reason : DeadTally.rest, default: 0] += 1
        }
    }

    private var sorted: [(reason: String, count: Int)] {
        reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    /// `3 dead letters requeued: 2 timeout, 1 http`.
    package func text(_ verb: String) -> String {
        let parts = sorted.map { "\($0.count) \($0.reason.escapingSteering())" }.joined(separator: ", ")
        return counted(done, "dead letter") + (verb.isEmpty ? "" : " " + verb) + (parts.isEmpty ? "" : ": " + parts)
    }

    /// The output of `farm dead requeue --json` and `farm dead drop --json` (spec section 1).
    /// - Parameter verb: `requeued`, `dropped`.
    package func json(_ verb: String, isDryRun: Bool) -> JSON {
        .object([
            verb: .int(Int64(done)),
            "reasons": .object(sorted.map { JSON.Member($0.reason, .int(Int64($0.count))) }),
            "dry_run": .bool(isDryRun),
        ])
    }
}
