import Foundation

/// The values that a number may have, and how messages name them.
struct NumberRange {
    let values: ClosedRange<Double>
    /// Whether the lower bound itself is refused.
    var isOpenBelow = false
    var unit = ""

    /// For example `must be a number of seconds, 0.001…280`.
    var requirement: String {
        let bounds = "\(values.lowerBound.plain)…\(values.upperBound.plain)"
        return "must be a number\(unit.isEmpty ? "" : " of " + unit), "
            + (isOpenBelow ? "above \(values.lowerBound.plain), at most \(values.upperBound.plain)" : bounds)
    }

    func contains(_ number: Double) -> Bool {
        values.contains(number) && !(isOpenBelow && number == values.lowerBound)
    }

    static func seconds(_ values: ClosedRange<Double>) -> NumberRange { .init(values: values, unit: "seconds") }

    static let fraction = NumberRange(values: 0...1)
    static let overlap = NumberRange(values: 0...1, isOpenBelow: true)
    static let timeout = NumberRange.seconds(0.001...280)
    static let retryDelay = NumberRange.seconds(0...60)
}

extension ClosedRange<Int> {
    static let tries = 1...100
}

extension Double {
    /// The number as people write it, without `.0` after a whole number.
    var plain: String {
        Int(exactly: self).map(String.init) ?? description
    }
}

extension Duration {
    /// A number of seconds that is in a `NumberRange`, to the microsecond.
    init(seconds: Double) { self = .microseconds(Int64((seconds * 1_000_000).rounded())) }

    /// The seconds as a number, for messages and arithmetic.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension String {
    /// The text without white space and line breaks at either end.
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
