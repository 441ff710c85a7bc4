import Foundation
import Testing

/// A box as docs/operating.md has it, to paste its lines on: the folder in which farm runs, and `farm` on the PATH. `sudo`,
/// `systemctl`, `ssh` and `journalctl` are doubles (Doubles/bin).
final class DailyBox: Sendable {
    let workplace: Workplace

    init(_ workplace: Workplace) throws {
        self.workplace = workplace
        try FileManager.default.createDirectory(atPath: workplace.path("bin"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: workplace.path("bin/farm"), withDestinationPath: Program.url.path)
    }

    /// A test that gave up leaves no `farm up` running.
    deinit { if let up { kill(up, SIGKILL) } }

    /// The `farm up` that `systemctl` has started.
    var up: Int32? {
        (try? String(contentsOfFile: workplace.path("up.pid"), encoding: .utf8))
            .flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// What it has written so far.
    var log: String { (try? String(contentsOfFile: workplace.path("up.log"), encoding: .utf8)) ?? "" }

    /// Runs lines of a page. Each has to succeed.
    /// - Parameter places: what stands in the page, and what stands here for it.
    @discardableResult
    func paste(_ lines: String, _ places: KeyValuePairs<String, String> = [:]) async throws -> Finished {
        let finished = try await attempt("set -e\n" + DailyBox.moved(lines, places))
        try #require(finished.status == 0, "\(lines)\(finished.output)\(finished.error)")
        return finished
    }

    /// Runs lines of a page, however they end.
    func attempt(_ lines: String) async throws -> Finished {
        try await workplace.bash(lines, environment: variables)
    }

    /// Runs the commands of a crontab, one after the other, as cron does: by sh, in the user's home, knowing nothing but what
    /// the crontab sets.
    func cron(_ crontab: String) async throws -> [Finished] {
        let crontab = try Crontab(crontab)
        let path = try #require(crontab.variables["PATH"], "cron finds no /usr/local/bin by itself")
        var ends: [Finished] = []
        for command in crontab.commands {
            let path = DailyBox.moved(path, ["/usr/local/bin": workplace.path("bin")])
            let shell = try Running(
                URL(fileURLWithPath: "/bin/sh"), ["-c", command], in: workplace.folder,
                ["PATH": path, "HOME": workplace.folder.path])
            ends.append(try await shell.finished())
        }
        return ends
    }

    /// The text with the places of this box.
    static func moved(_ text: String, _ places: KeyValuePairs<String, String>) -> String {
        places.reduce(text) { text, place in
            if !text.contains(place.key) { Issue.record("no \(place.key) in the page's \(text)") }
            return text.replacing(place.key, with: place.value)
        }
    }

    private var variables: [String: String] {
        let doubles = Program.root.appending(path: "Tests/CommandTests/Doubles/bin").path
        return [
            "PATH": "\(workplace.path("bin")):\(doubles):/usr/sbin:/usr/bin:/sbin:/bin",
            "FARM_FOLDER": workplace.folder.path,
        ]
    }
}
