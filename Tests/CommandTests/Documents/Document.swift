import Foundation
import Testing

/// A page of the documentation, whose blocks of code tests run as they stand there: so page and program cannot drift apart.
struct Document {
    private let name: String
    private let lines: [Substring]

    /// - Parameter name: its path from the root of the package.
    init(_ name: String) throws {
        self.name = name
        lines = try String(contentsOf: Program.root.appending(path: name), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The titles of the sections that lie one level below a section of the second level.
    func titles(below title: String) throws -> [String] {
        let begin = try #require(lines.firstIndex { $0 == "## \(title)" }, "\(name) has no section \(title)")
        return lines[(begin + 1)...].prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("### ") }
            .map { String($0.dropFirst(4)) }
    }

    /// The blocks of code of a section, without their indentation, each ending with a line break.
    func blocks(of title: String) throws -> [String] {
        let begin = try #require(
            lines.firstIndex { $0 == "## \(title)" || $0 == "### \(title)" }, "\(name) has no section \(title)")
        var blocks: [String] = []
        var isInside = false
        // An empty line ends a block, but for one between two indented lines.
        for (index, line) in zip(lines.indices, lines).dropFirst(begin + 1) {
            if line.hasPrefix("#") { break }
            let next = index + 1 < lines.endIndex ? lines[index + 1] : ""
            if line.hasPrefix("    ") {
                if !isInside { blocks.append("") }
                blocks[blocks.count - 1] += line.dropFirst(4) + "\n"
                isInside = true
            } else if line.isEmpty && isInside && next.hasPrefix("    ") {
                blocks[blocks.count - 1] += "\n"
            } else {
                isInside = false
            }
        }
        return blocks
    }
}

/// A recipe of docs/operating.md, Every day: its title there.
enum Recipe: String, CaseIterable {
    case nightly = "New photos every night"
    case rest = "A service has to rest"
    case file = "Back up and restore farm.db"
    case servers = "Back up and restore PostgreSQL"
    case upgrade = "A new version"
    case alerts = "Alerts"
    case logs = "The logs of all machines"
    case again = "My service has changed: do it again"
    case stillness = "Why does nothing move?"

    static let page = "docs/operating.md"
    static let section = "Every day"

    /// Its blocks.
    /// - Parameter count: how many the test runs: one that is added to the page has to be run, too.
    func blocks(_ count: Int) throws -> [String] {
        let blocks = try Document(Recipe.page).blocks(of: rawValue)
        try #require(blocks.count == count, "blocks of “\(rawValue)” in \(Recipe.page)")
        return blocks
    }
}

/// A crontab, as cron reads it.
struct Crontab {
    /// What it sets for all its commands.
    let variables: [String: String]
    let commands: [String]

    init(_ text: String) throws {
        var (variables, commands): ([String: String], [String]) = ([:], [])
        for line in text.split(separator: "\n") {
            if let setting = line.wholeMatch(of: /([A-Z]+)=(.*)/) {
                variables[String(setting.1)] = String(setting.2)
            } else {
                let entry = try #require(
                    line.wholeMatch(of: /((?:[0-9*\/,-]+ +){5})(.*)/), "no line of a crontab: \(line)")
                try #require(!entry.2.contains("%"), "cron takes what follows a % for input: \(line)")
                commands.append(String(entry.2))
            }
        }
        self.variables = variables
        self.commands = commands
    }
}
