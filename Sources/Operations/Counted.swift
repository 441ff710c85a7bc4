/// A count with its noun: `1 job`, `2 jobs`, `2 boxes`.
package func counted(_ count: Int, _ noun: String) -> String {
    guard count != 1 else { return "1 \(noun)" }
    return "\(count) \(noun)\(noun.hasSuffix("x") ? "es" : "s")"
}
