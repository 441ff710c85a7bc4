import Composition
import Foundation
import Logging
import Model
import Operations
import Settings
import Synchronization

/// Writes log lines, as text or JSON, to standard error and, if LOG_FILE is set, to that file as well.
final class LogOutput: Sendable {
    /// What happens to a command if its LOG_FILE cannot be written.
    enum Need {
        /// The command fails.
        case always
        /// The command warns and goes on. A command that only reads has nothing to keep.
        case ifPossible
    }

    private let format: LogSettings.Format
    private let path: String?
    private let file: Mutex<LogFile?>

    /// - Throws: `CommandFailure` if the file is needed and cannot be opened.
    init(_ settings: LogSettings, _ need: Need) throws(CommandFailure) {
        format = settings.format
        path = settings.file
        file = Mutex(nil)
        do { try open() } catch {
            guard need == .ifPossible else { throw error }
            Terminal.error("farm: warning: \(error.message)")
        }
    }

    /// Opens the file again, after a rotation has moved it. If that fails, the old one is kept.
    func reopen() {
        do { try open() } catch { Terminal.error("farm: \(error.message)") }
    }

    private func open() throws(CommandFailure) {
        guard let path else { return }
        var opened = try LogFile(path)
        file.withLock { file in
            opened.lost = file?.lost ?? 0
            file = opened
        }
    }

    fileprivate func write(_ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata) {
        let line = line(level, label, message, metadata)
        Terminal.message(line)
        file.withLock { file in
            guard let lost = file?.lost else { return }
            let loss =
                lost > 0 ? self.line(.warning, "farm", "\(counted(lost, "line")) lost: nobody read them", [:]) : ""
            file?.write(loss + line)
        }
    }

    /// One line, whatever a message quotes, so that quoted text cannot forge another one.
    private func line(
        _ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata
    ) -> String {
        let time = Timestamp.iso8601(Date())
        let line =
            switch format {
            case .text: "\(time) \(level.rawValue.uppercased()) \(label): \(message)"
            case .json:
                JSON.object(
                    [
                        JSON.Member("time", .string(time)), JSON.Member("level", .string(level.rawValue)),
                        JSON.Member("logger", .string(label)), JSON.Member("message", .string(message)),
                        JSON.Member("host", .string(ThisProcess.hostname)),
                    ] + LogOutput.members(metadata)
                ).text
            }
        return line.escapingSteering() + "\n"
    }
}

extension LogOutput {
    /// What a line is about, if it is known.
    private static let keys = ["worker", "service", "image", "job"]

    private static func members(_ metadata: Logger.Metadata) -> [JSON.Member] {
        keys.compactMap { key in
            metadata[key].map { value in
                let text = value.description
                return JSON.Member(key, key == "image" ? Int64(text).map(JSON.int) ?? .string(text) : .string(text))
            }
        }
    }
}

/// Passes the lines of swift-log to the one output.
struct LogLines: LogHandler {
    let label: String
    let output: LogOutput
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = event.metadata.map { metadata.merging($0) { $1 } } ?? metadata
        output.write(event.level, label, event.message.description, all)
    }
}
