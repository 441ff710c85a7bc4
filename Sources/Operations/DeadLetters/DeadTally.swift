import Model
import Pipeline

/// What a round through dead letters has come to, by reason.
package struct DeadTally {
    /// Reasons that are counted by themselves: any text may stand in a letter.
    private static let reasonLimit = 20
    private static let rest = "other reasons"

    /// Letters that were looked at.
    package var seen = 0
    /// Letters that are meant and with which it was done.
    package private(set) var done = 0
    private var reasons: [String: Int] = [:]

    package init() {}

    /// Counts letters with which it was done.
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

    /// As `farm dead requeue --json` and `farm dead drop --json` have it (spec section 1).
    /// - Parameter verb: `requeued`, `dropped`.
    package func json(_ verb: String, isDryRun: Bool) -> JSON {
        .object([
            verb: .int(Int64(done)),
            "reasons": .object(sorted.map { JSON.Member($0.reason, .int(Int64($0.count))) }),
            "dry_run": .bool(isDryRun),
        ])
    }
}
