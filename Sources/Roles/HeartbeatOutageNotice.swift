import Logging
import Synchronization

/// Logs once when the heartbeats of a process, or its rows in the table of live workers, cannot be stored, and once
/// when all of them can be stored again, however many roles the process runs.
public final class HeartbeatOutageNotice: Sendable {
    private let log: Logger
    private let what: String
    private let failing = Mutex<Set<String>>([])

    /// - Parameters:
    ///   - log: receives the messages.
    ///   - what: what is stored, in the plural.
    public init(log: Logger, of what: String = "heartbeats") {
        self.log = log
        self.what = what
    }

    /// - Parameter level: the level of the first failure.
    func failed(_ workerID: String, _ error: any Error, at level: Logger.Level = .warning) {
        let isNew = failing.withLock { failing in
            defer { failing.insert(workerID) }
            return failing.isEmpty
        }
        if isNew { log.log(level: level, "\(what) are not stored, work goes on: \(error)") }
    }

    func stored(_ workerID: String) {
        let isOver = failing.withLock { $0.remove(workerID) != nil && $0.isEmpty }
        if isOver { log.notice("\(what) are stored again") }
    }

    func isFailing(_ workerID: String) -> Bool { failing.withLock { $0.contains(workerID) } }

    func ended(_ workerID: String) { failing.withLock { _ = $0.remove(workerID) } }
}
