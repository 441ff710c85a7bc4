import Model

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

/// The problems that are found in one loading, shared by everything that reads a part of the settings.
final class SettingsProblems {
    private(set) var faults: [String] = []
    private(set) var warnings: [String] = []

    /// Adds a problem that makes the settings unusable.
    func fault(_ place: String, _ what: String) { faults.append("\(place): \(what)") }

    /// Adds a warning about something that is ignored, or read in another way than its writer may think.
    func warning(_ place: String, _ what: String) { warnings.append("\(place): \(what)") }
}

extension String {
    /// A name from outside, made fit for a message: on one line and not long.
    var shown: String {
        let scalars = unicodeScalars.prefix(60).map { $0.isSteering ? "\u{FFFD}" : $0 }
        return String(String.UnicodeScalarView(scalars)) + (unicodeScalars.count > 60 ? "…" : "")
    }

    var holdsControls: Bool { unicodeScalars.contains(where: \.isSteering) }
}

/// `a`, `a and b`, `a, b and c`.
func listing(_ words: [String], _ conjunction: String = "and") -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}

/// At most ten of these names, and how many more there are.
func someOf(_ names: [String]) -> String {
    names.prefix(10).joined(separator: ", ") + (names.count > 10 ? " and \(names.count - 10) more" : "")
}
