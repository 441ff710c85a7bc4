import Foundation
import Model
import Pipeline

extension ServiceControl {
    /// Whether anything is set now.
    package var isAnything: Bool { isPaused || rateLimit != nil || concurrency != nil }

    /// `paused by anna@k1 until 2026-11-30 18:00:00 UTC: new model`; nil while it is not paused.
    package var pauseText: String? {
        guard isPaused else { return nil }
        let end = until.map { " until " + ServiceControl.time($0) } ?? ""
        let cause = reason.map { ": " + $0.printable(upTo: 200) } ?? ""
        return "paused by \(setBy.printable(upTo: 100))\(end)\(cause)"
    }

    /// `limited to 20/s`; nil where there is no limit.
    package var limitText: String? { rateLimit.map { "limited to \(RateText(perSecond: $0).text)" } }

    /// `at most 2 calls for each worker`; nil where the workers' own configuration counts.
    package var callsText: String? { concurrency.map { "at most \(counted($0, "call")) for each worker" } }

    /// All that is set, for people: `limited to 5/min, at most 2 calls for each worker`.
    package var text: String {
        let parts = [pauseText, limitText, callsText].compactMap { $0 }
        return parts.isEmpty ? "neither paused nor limited" : parts.joined(separator: ", ")
    }

    /// As `--json` and the API have it.
    package var json: JSON {
        .object([
            "service": .string(service), "paused": .bool(isPaused), "until": .optional(until.map(Timestamp.iso8601)),
            "reason": .optional(reason), "rate_limit": rateLimit.map(JSON.double) ?? .null,
            "concurrency": concurrency.map { .int(Int64($0)) } ?? .null,
            "set_by": revision > 0 ? .string(setBy) : .null,
            "set_at": revision > 0 ? .string(Timestamp.iso8601(setAt)) : .null, "revision": .int(Int64(revision)),
        ])
    }

    /// `2026-11-30 18:00:00 UTC`.
    static func time(_ date: Date) -> String { "\(Timestamp.sqlite(date).prefix(19)) UTC" }
}
