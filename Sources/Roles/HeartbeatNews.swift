import Logging
import Synchronization

/// Whether a process's heartbeats are stored: told once when they are no longer and once when all are again, however many
/// roles it runs.
public final class HeartbeatNews: Sendable {
    private let log: Logger
    private let failing = Mutex<Set<String>>([])

    /// - Parameter log: where it is told.
    public init(log: Logger) { self.log = log }

    func failed(_ workerID: String, _ error: any Error) {
        let isNew = failing.withLock { failing in
            defer { failing.insert(workerID) }
            return failing.isEmpty
        }
        if isNew { log.warning("heartbeats are not stored, work goes on: \(error)") }
    }

    func stored(_ workerID: String) {
        let isOver = failing.withLock { $0.remove(workerID) != nil && $0.isEmpty }
        if isOver { log.notice("heartbeats are stored again") }
    }

    func ended(_ workerID: String) { failing.withLock { _ = $0.remove(workerID) } }
}
