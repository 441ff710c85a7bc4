import Foundation

/// What a figure should be.
enum Goal {
    case atLeast(Double)
    case atMost(Double)

    func isMet(by value: Double) -> Bool {
        switch self {
        case .atLeast(let limit): value >= limit
        case .atMost(let limit): value <= limit
        }
    }
}

/// One line of the table.
struct Figure {
    /// What was measured.
    var name: String
    /// nil for what is told for comparison only.
    var goal: Goal?
    var value: Double
    /// `ms`, `boxes/s`, `times`.
    var unit: String

    init(_ name: String, _ value: Double, _ unit: String, goal: Goal? = nil) {
        self.name = name
        self.goal = goal
        self.value = value
        self.unit = unit
    }

    /// Name, goal, figure, whether it is met: a row of a Markdown table.
    var row: String { "| \(name) | \(goalText) | \(Figure.text(value)) \(unit) | \(verdict) |" }

    private var goalText: String {
        switch goal {
        case nil: "–"
        case .atLeast(let limit): "≥ \(Figure.text(limit)) \(unit)"
        case .atMost(let limit): "≤ \(Figure.text(limit)) \(unit)"
        }
    }

    private var verdict: String { goal.map { $0.isMet(by: value) ? "yes" : "**no**" } ?? "" }

    /// Three significant digits, thousands apart: 1,240,000; 0.315; 72.
    static func text(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        guard abs(value) < 1000 else { return grouped(Int(rounded(value))) }
        let decimals = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : abs(value) >= 1 ? 2 : 3
        let text = String(format: "%.\(decimals)f", value)
        guard text.contains(".") else { return text }
        return String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
    }

    private static func rounded(_ value: Double) -> Double {
        let step = pow(10, max(0, (log10(abs(value)).rounded(.down) - 2)))
        return (value / step).rounded() * step
    }

    private static func grouped(_ value: Int) -> String {
        var digits = String(abs(value))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}
