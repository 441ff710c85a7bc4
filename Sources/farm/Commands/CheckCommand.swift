import ArgumentParser
import Composition
import Model
import Operations
import Pipeline

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Checks the broker, the databases and every configured service; says what is wrong and how to fix it.",
        discussion: """
            It changes nothing and gives no work to services. The exit code is 1 if anything failed, 0 if there are \
            only warnings, and 2 if the settings themselves cannot be used.

            Examples:
              farm check
              farm check --json | jq '.[] | select(.status != "ok")'
            """)

    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let session = try SettledSession(options, logs: .ifPossible)
        let findings = await MachineProbes(session.context).check.findings()
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
}
