import Foundation
import Model

/// A rate limit as people write it: `20/s`, `5/min`, `100/h`.
package struct RateText: Sendable, Equatable {
    private static let units: [(name: String, seconds: Double)] = [("s", 1), ("min", 60), ("h", 3600)]
    /// No farm does more; and whoever wants less than one in a day wants a pause.
    private static let range = 1 / 86_400.0...100_000

    /// Jobs per second.
    package let perSecond: Double

    package init(perSecond: Double) { self.perSecond = perSecond }

    /// - Parameter none: what stands for no limit, where the text comes from.
    /// - Throws: `OperationFault` that says how a rate is written.
    package init(_ text: String, none: String = "none") throws(OperationFault) {
        let form = "a rate is written as 20/s, 5/min or 100/h"
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let unit = RateText.units.first(where: { $0.name == parts[1] }),
            parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }), let number = Double(parts[0])
        else { throw .unusable("\(text.printable(upTo: 40)) is no rate: \(form), and \(none) for no limit") }
        guard number > 0 else {
            throw .unusable("\(text) would let nothing pass: \(form); farm pause stops a service altogether")
        }
        perSecond = number / unit.seconds
        guard RateText.range.contains(perSecond) else {
            throw .unusable("\(text.printable(upTo: 40)) is out of range: from 1 in a day to 100000/s; \(form)")
        }
    }

    /// In the largest unit in which it is a short number: `20/s`, `5/min`, `100/h`.
    package var text: String {
        let whole = RateText.units.first { unit in
            let hundredths = perSecond * unit.seconds * 100
            return hundredths >= 99.9 && abs(hundredths - hundredths.rounded()) < 1e-6 * hundredths
        }
        let unit = whole ?? RateText.units.first { perSecond * $0.seconds >= 1 } ?? RateText.units[2]
        let number = (perSecond * unit.seconds * 1000).rounded() / 1000
        let digits = number == number.rounded() ? String(Int(number)) : String(number)
        return "\(digits)/\(unit.name)"
    }
}
