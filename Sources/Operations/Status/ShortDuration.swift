import Foundation

/// Durations that fit a column: `45 s`, `12 min`, `3.5 h`, `2.1 d`.
package enum ShortDuration {
    /// One number and its unit.
    package static func text(_ seconds: Double) -> String {
        switch seconds {
        case ..<90: String(format: "%.0f s", seconds)
        case ..<(90 * 60): String(format: "%.0f min", seconds / 60)
        case ..<(48 * 3600): String(format: "%.1f h", seconds / 3600)
        default: String(format: "%.1f d", seconds / 86_400)
        }
    }

    /// `12 min` if both ends have the same text, otherwise `12–15 min`, `50 s–2 min`.
    package static func text(_ range: ClosedRange<Double>) -> String {
        let (low, high) = (text(range.lowerBound), text(range.upperBound))
        guard low != high else { return low }
        let unit = high.drop { $0 != " " }
        return low.hasSuffix(unit) ? "\(low.dropLast(unit.count))–\(high)" : "\(low)–\(high)"
    }
}
