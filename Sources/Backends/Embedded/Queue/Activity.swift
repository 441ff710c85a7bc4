import Logging
import Pipeline
import Synchronization
import Waiting

/// Tells whoever watches the queues from outside that another process has announced something: a worker announces what follows from a
/// job when the job is done.
final class Activity: Sendable {
    private let watch = Mutex<LogWatch?>(nil)
    private let changes = Watched(0)
    private let seen = Mutex(0)

    /// Returns at the first change since it returned last, or after `limit`.
    /// - Throws: `CancellationError`.
    func wait(upTo limit: Duration, _ hub: ConsumerHub) async throws {
        begin(hub)
        let seen = self.seen.withLock { $0 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await hub.time.sleep(limit) }
            group.addTask { _ = await self.changes.wait { $0 == seen ? nil : true } }
            defer { group.cancelAll() }
            try await group.next()
        }
        let now = changes.read { $0 }
        self.seen.withLock { $0 = now }
        try Task.checkCancellation()
    }

    private func begin(_ hub: ConsumerHub) {
        watch.withLock { watch in
            guard watch == nil else { return }
            do {
                watch = try LogWatch(log: hub.file.logPath) { [changes] in changes.change { $0 += 1 } }
            } catch {
                hub.log.debug("\(hub.file.place): changes are seen by looking: \(error)")
            }
        }
    }
}
