import ArgumentParser
import Composition
import Model
import Operations
import Pipeline

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Probes broker, databases and every configured service; names what is wrong and how to mend it.",
        discussion: """
            Nothing is changed and no service is given work. Exit 1 if anything failed, 0 for mere warnings; 2 if the \
            settings themselves are unusable.

            Examples:
              farm check
              farm check --json | jq '.[] | select(.status != "ok")'
            """)

    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let session = try SettledSession(options, logs: .ifPossible)
        let findings = await BoxProbes(session.context).check.findings()
        if json {
            Terminal.output(JSON.array(findings.map(\.json)).text)
        } else {
            for finding in findings { Terminal.output(finding.line) }
        }
        let failed = findings.count { $0.grade == .failed }
        if failed > 0 { throw CommandFailure(exitCode: 1, message: json ? "" : "\(counted(failed, "check")) failed") }
    }
}

extension CheckFinding {
    fileprivate var line: String {
        let word = grade.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
        return
            "\(grade == .ok ? word : grade == .failed ? Terminal.red(word) : Terminal.bold(word))\(subject): \(message)"
    }

    fileprivate var json: JSON {
        .object([
            "status": .string(grade.rawValue), "subject": .string(subject), "message": .string(message),
        ])
    }
}
