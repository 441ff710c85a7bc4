import Model

extension JSON {
    /// The value for people: one member or element on each line, and short ones together on one line.
    var indentedText: String { indented(by: 0) }

    private static let shortLine = 100

    private func indented(by depth: Int) -> String {
        let line = text
        guard line.utf8.count + 2 * depth > JSON.shortLine else { return line }
        let parts: [String]
        switch self {
        case .array(let elements): parts = elements.map { $0.indented(by: depth + 1) }
        case .object(let members):
            parts = members.map { "\(JSON.string($0.key).text): \($0.value.indented(by: depth + 1))" }
        default: return line
        }
        let margin = String(repeating: "  ", count: depth)
        let (open, close) = arrayValue == nil ? ("{", "}") : ("[", "]")
        return "\(open)\n" + parts.map { "\(margin)  \($0)" }.joined(separator: ",\n") + "\n\(margin)\(close)"
    }
}
