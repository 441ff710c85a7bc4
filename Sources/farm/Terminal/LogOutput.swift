import Foundation
import Logging
import Model
import Settings
import Synchronization

/// Log lines, as text or JSON, to standard error and, where one is named, appended to a file as well.
final class LogOutput: Sendable {
    private let format: LogSettings.Format
    private let path: String?
    private let file: Mutex<FileHandle?>

    /// - Throws: `CommandFailure` when the file cannot be opened.
    init(_ settings: LogSettings) throws {
        format = settings.format
        path = settings.file
        file = Mutex(nil)
        try open()
    }

    /// Opens the file again, after a rotation has moved it.
    func reopen() {
        do { try open() } catch { Terminal.error("farm: \(error)") }
    }

    private func open() throws {
        guard let path else { return }
        let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure.unusable("LOG_FILE \(path): \(String(cString: strerror(errno)))")
        }
        file.withLock { $0 = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true) }
    }

    fileprivate func write(_ level: Logger.Level, _ label: String, _ message: String) {
        let time = Timestamp.iso8601(Date())
        let line =
            switch format {
            case .text: "\(time) \(level.rawValue.uppercased()) \(label): \(message)"
            case .json:
                JSON.object([
                    "time": .string(time), "level": .string(level.rawValue), "logger": .string(label),
                    "message": .string(message),
                ]).text
            }
        // One line, whatever a message quotes: no other can be forged.
        let whole = line.escapingSteering() + "\n"
        Terminal.removeProgressLine()
        Terminal.write(whole, to: STDERR_FILENO)
        file.withLock { file in
            if let file { Terminal.write(whole, to: file.fileDescriptor) }
        }
    }
}

/// Passes swift-log's lines on to the one output.
struct LogLines: LogHandler {
    let label: String
    let output: LogOutput
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { output.write(event.level, label, event.message.description) }
}
