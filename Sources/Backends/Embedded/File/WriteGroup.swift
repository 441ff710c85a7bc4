import GRDB
import Synchronization

/// Writes that wait for the file's one writer. All that wait when it becomes free share a transaction: a commit writes
/// every changed page, and most writes change the same ones.
final class WriteGroup: Sendable {
    /// What one caller wants to write.
    struct Write: Sendable {
        /// Whether other processes that wait for jobs should look.
        var isAnnounced: Bool
        /// Does the work. The closure that it returns tells the caller, after the commit.
        var run: @Sendable (Database) throws -> @Sendable () -> Void
        /// Tells the caller that nothing was written.
        var fail: @Sendable (any Error) -> Void
    }

    private let waiting = Mutex<[Write]>([])

    /// - Returns: whether it is the first that waits. Then somebody has to call `runAll`.
    func add(_ write: Write) -> Bool {
        waiting.withLock { waiting in
            waiting.append(write)
            return waiting.count == 1
        }
    }

    /// Does all writes that wait.
    /// - Parameter check: throws if nothing may be written.
    /// - Returns: whether something was written that should be announced.
    func runAll(_ database: Database, after check: () throws -> Void) -> Bool {
        let writes = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        assert(!writes.isEmpty, "who was the first to wait calls this once")
        do { try check() } catch {
            for write in writes { write.fail(error) }
            return false
        }
        do {
            return try run(writes, database)
        } catch {
            // Waiting again for another process's lock, for each of them, would only take longer.
            guard writes.count > 1, (error as? DatabaseError)?.resultCode != .SQLITE_BUSY else {
                for write in writes { write.fail(error) }
                return false
            }
            // If one caller's value is refused, the others are not at fault.
            return writes.reduce(false) { isAnnounced, write in
                do { return try run([write], database) || isAnnounced } catch {
                    write.fail(error)
                    return isAnnounced
                }
            }
        }
    }

    private func run(_ writes: [Write], _ database: Database) throws -> Bool {
        let replies = try database.inWriting { try writes.map { try $0.run(database) } }
        for reply in replies { reply() }
        return writes.contains(where: \.isAnnounced)
    }
}
