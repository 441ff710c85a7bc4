import Model

extension String {
    /// The text on one line, with at most this many characters, and nothing that controls a terminal.
    package func printable(upTo limit: Int) -> String {
        // Cut first, so that a long text does not become longer before it is cut.
        let text = String(prefix(limit + 1)).escapingSteering()
        return text.count > limit ? text.prefix(limit - 1) + "…" : text
    }
}

/// A count with its noun: `1 job`, `2 jobs`, `2 boxes`.
package func counted(_ count: Int, _ noun: String) -> String {
    guard count != 1 else { return "1 \(noun)" }
    return "\(count) \(noun)\(noun.hasSuffix("x") ? "es" : "s")"
}
