import Logging
import Synchronization

/// Keeps what is logged, for tests that count what is said.
final class LogRecord: Sendable {
    private let lines = Mutex<[String]>([])

    var logger: Logger { Logger(label: "record") { [self] _ in Handler(record: self) } }

    func count(_ part: String) -> Int { lines.withLock { $0.filter { $0.contains(part) }.count } }

    private struct Handler: LogHandler {
        let record: LogRecord
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            record.lines.withLock { $0.append("\(event.message)") }
        }
    }
}
