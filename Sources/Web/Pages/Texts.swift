import Foundation
import Model
import Operations

extension HTML {
    /// A moment, in UTC; scripts add what it is here.
    static func time(_ date: Date) -> HTML {
        let text = Timestamp.iso8601(date)
        let short = text.prefix(19).replacing("T", with: " ")
        return "<time datetime=\"\(attribute: text)\">\(short) UTC</time>"
    }

    /// A count, with ≈ where it is one that is kept.
    static func count(_ count: Int, isKept: Bool = false) -> HTML { "\(isKept ? "≈" : "")\(grouped(count))" }

    /// `1 234 567`, by narrow spaces that do not break.
    private static func grouped(_ count: Int) -> String {
        let digits = Array(String(count.magnitude))
        let groups = digits.indices.map { index in
            let isFirst = index == 0 || (digits.count - index) % 3 != 0
            return isFirst ? String(digits[index]) : "\u{202F}" + String(digits[index])
        }
        return (count < 0 ? "−" : "") + groups.joined()
    }

    /// A cell of a table that turns into cards on a phone.
    static func cell(_ name: String, _ content: HTML, isNumber: Bool = false) -> HTML {
        "<td data-name=\"\(attribute: name)\"\(isNumber ? HTML(" class=\"number\"") : .none)>\(content)</td>"
    }

    /// How many ended in each of the last 60 minutes.
    static func sparkline(_ minutes: [Int], label: String) -> HTML {
        guard let most = minutes.max(), most > 0 else { return .none }
        // One path for all bars: a page has a line of them for each service, and comes anew again and again.
        let bars = minutes.enumerated().filter { $0.element > 0 }.map { index, count in
            "M\(index * 3 + 1) 24v-\(max(1, count * 24 / most))"
        }
        return """
            <svg class="spark" viewBox="0 0 180 24" preserveAspectRatio="none" role="img" aria-label="\(attribute: label)">\
            <path d="\(bars.joined())"/></svg>
            """
    }
}

extension Double {
    /// `0.87`.
    var twoDigits: String { String(format: "%.2f", self) }

    /// As an attribute of SVG: at most two digits after the point, never an exponent; 0 for what is no number.
    var plainDigits: String {
        guard isFinite, abs(self) < 1e9 else { return "0" }
        let digits = String(format: "%.2f", self)
        return digits.hasSuffix(".00") ? String(digits.dropLast(3)) : digits
    }
}
