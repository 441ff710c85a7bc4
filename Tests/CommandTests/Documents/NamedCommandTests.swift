import Foundation
import Testing

/// What the pages tell a reader to type exists.
@Suite("Commands that the pages name")
struct NamedCommandTests {
    /// The pages, from the root of the package. The list of changes tells of the past.
    private static let pages: [String] = {
        let docs =
            (try? FileManager.default.contentsOfDirectory(atPath: Program.root.appending(path: "docs").path)) ?? []
        return ["README.md", ".env.example", "examples/services/README.md", "config/systemd/farm.service"]
            + docs.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }()

    @Test("are commands of farm, and so are their flags", arguments: pages)
    func page(_ page: String) async throws {
        let text = try String(contentsOf: Program.root.appending(path: page), encoding: .utf8)
        try await check(NamedCommandTests.calls(in: text), of: page)
    }

    @Test("are commands of farm also where another command's help names them", arguments: HelpTests.commands)
    func help(_ command: String) async throws {
        let help = try await NamedCommandTests.help(of: command)
        let calls = help.matches(of: /(?:^|\n| )farm ([a-z]+)((?: [^,;:.)|\n ]+)*)/).map {
            (command: String($0.1), rest: String($0.2))
        }
        // In help no mark tells a command from the name of the program: only words that some command could have.
        try await check(
            calls.filter { HelpTests.commands.contains($0.command) || $0.rest.contains("--") },
            of: "farm help \(command)")
    }

    @Test("are found in a page's spans and blocks of code, with their flags")
    func reading() {
        let text = """
            What `farm show 1 --json` prints, farm dances to; `farm`, `farm.db`.

                $ farm up --until-idle     # then farm sleeps
                farm: 3 jobs
                told=$(farm check --json | jq --raw-output) || sudo farm web --listen 1, farm dances
            """
        let calls = NamedCommandTests.calls(in: text).map { "\($0.command)\($0.rest)" }
        #expect(calls == ["show 1 --json", "up --until-idle", "check --json", "web --listen 1"])
    }

    private func check(_ calls: [(command: String, rest: String)], of place: String) async throws {
        var helps: [String: String] = [:]
        for (command, rest) in calls where command != "help" && command != "ROLE" {
            guard HelpTests.commands.contains(command) else {
                Issue.record("\(place) names farm \(command)\(rest), which does not exist")
                continue
            }
            if helps[command] == nil { helps[command] = try await NamedCommandTests.help(of: command) }
            for flag in rest.matches(of: /--[a-z][a-z-]*/).map(\.output) where flag != "--help" {
                #expect(helps[command]?.contains(flag) == true, "\(place) names farm \(command)\(rest)")
            }
        }
    }

    /// What a command's help says, and that of the commands below it.
    private static func help(of command: String) async throws -> String {
        let work = try Workplace()
        var text = try await work.farm(command, "--help").output
        for verb in command == "dead" ? ["list", "show", "requeue", "drop"] : [] {
            text += try await work.farm(command, verb, "--help").output
        }
        return text
    }

    /// The calls of farm in spans and blocks of code: the command, and what follows on the same line.
    private static func calls(in text: String) -> [(command: String, rest: String)] {
        let code = text.split(separator: "\n").flatMap { line in
            line.hasPrefix("    ") ? [line.dropFirst(4)] : line.matches(of: /`([^`]+)`/).map(\.1)
        }
        return code.flatMap { code in
            code.matches(of: /(?:^|\$ |sudo |&& |\|\| |\$\(|; |\{ )farm ([a-z]+)((?: [^|&;#()` ]+)*)/)
                .map { (command: String($0.1), rest: $0.2.components(separatedBy: ", ")[0]) }
        }
    }
}
