/// Why the settings cannot be used: everything that is missing or malformed. It never contains the value of a secret.
public struct SettingsFault: Error, Equatable, CustomStringConvertible {
    /// One sentence for each fault. It begins with the name of the variable or the place in the file.
    public let faults: [String]

    /// How many faults the message lists. A file of junk has thousands.
    private static let shown = 50

    /// All faults as one message, one line for each.
    public var description: String {
        if faults.count == 1, let only = faults.first { return only }
        let rest = faults.count - Self.shown
        let lines = faults.prefix(Self.shown) + (rest > 0 ? ["… and \(rest) more"] : [])
        return "the settings have \(faults.count) faults:\n" + lines.map { "  " + $0 }.joined(separator: "\n")
    }
}
