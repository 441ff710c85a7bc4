import Dispatch
import Foundation
import GRDB
import Glibc
import Model
import Pipeline

/// The open file: one connection that writes and a few that read, each on its own queue, so that nothing blocks Swift's
/// cooperative pool. Errors become `PortFault`s.
final class SQLiteFile: Sendable {
    private static let readers = 3
    /// The write-ahead log is cut to this many bytes when it starts over.
    private static let logLimit = 64 << 20

    /// The path as it was given, for messages.
    let place: String
    /// The absolute path.
    let path: String
    /// The absolute path of the write-ahead log.
    let logPath: String
    /// Identifies the file, so that another one in its place is noticed.
    private let identity: Identity?
    private let pool: DatabasePool
    private let writes = WriteGroup()

    private init(path: String, place: String) throws {
        var configuration = Configuration()
        configuration.label = "farm"
        // SQLite's own waits grow to 100 ms. Meanwhile others take the lock again and again.
        configuration.busyMode = .callback { tries in
            usleep(SQLiteFile.busyPause)
            return tries < Int(SQLiteFile.busyTimeout * 1_000_000) / Int(SQLiteFile.busyPause)
        }
        configuration.maximumReaderCount = SQLiteFile.readers
        // Another program's file may declare keys that were never enforced, since SQLite does not enforce them by
        // default.
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA journal_size_limit = \(SQLiteFile.logLimit)") }
        pool = try DatabasePool(path: path, configuration: configuration)
        identity = Identity(of: path)
        self.path = path
        logPath = path + "-wal"
        self.place = place
    }

    /// Opens or creates the file. Waits while another process sets it up.
    /// - Throws: `PortFault`.
    static func open(_ place: String) async throws -> SQLiteFile {
        let path = PathText.absolute(place)
        return try await blocking {
            try checkPlace(path, place: place)
            try make(path, place: place)
            let deadline = DispatchTime.now() + SQLiteFile.busyTimeout
            while true {
                do { return try SQLiteFile(path: path, place: place) } catch {
                    // No event tells when it would work.
                    guard isPassing(error), DispatchTime.now() < deadline else {
                        throw PortFault(error, place: place)
                    }
                    usleep(10_000)
                }
            }
        }
    }

    /// Changing the journal mode ignores the busy time-out. And while GRDB looks for the write-ahead log and then for its size,
    /// another process that closes the file last may remove it.
    static func isPassing(_ error: any Error) -> Bool {
        if let fault = error as? DatabaseError { return fault.resultCode == .SQLITE_BUSY }
        return [.fileReadNoSuchFile, .fileNoSuchFile].contains((error as? CocoaError)?.code)
    }

    /// How many seconds a write waits for another process's write.
    static let busyTimeout = 10.0
    /// How many microseconds it waits before it tries again.
    private static let busyPause: UInt32 = 2000

    // MARK: Access

    /// Reads one snapshot.
    ///
    /// It should not be used for every job. A commit empties the caches of the reading connections, so short reads are
    /// cheaper inside the transaction of a write that happens anyway.
    /// - Throws: `PortFault`; `CancellationError` as soon as the task is cancelled.
    func read<Value: Sendable>(_ work: @Sendable @escaping (Database) throws -> Value) async throws -> Value {
        do {
            try checkIdentity()
            return try await pool.unsafeRead { database in
                try database.inSnapshot { try work(database) }
            }
        } catch { throw SQLiteFile.fault(error, place) }
    }

    /// Runs in one immediate transaction: everything is done, or nothing. Once begun it is not cancelled, since a
    /// caller that went away would not know the result.
    ///
    /// Writes that come while others are running share the next transaction, so the load decides how many share one.
    /// `work` may run twice: if one write fails, each is done again in a transaction of its own.
    /// - Parameter announced: whether other processes that wait for jobs should look.
    /// - Throws: `PortFault`.
    func write<Value: Sendable>(
        announced: Bool = false, _ work: @Sendable @escaping (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let place = place
            let isFirst = writes.add(
                WriteGroup.Write(
                    isAnnounced: announced,
                    run: { database in
                        let value = try work(database)
                        return { continuation.resume(returning: value) }
                    },
                    fail: { continuation.resume(throwing: SQLiteFile.fault($0, place)) }))
            guard isFirst else { return }
            pool.asyncWriteWithoutTransaction { [self] database in
                if writes.runAll(database, after: checkIdentity) { utimensat(AT_FDCWD, logPath, nil, 0) }
            }
        }
    }

    /// Runs on the writing connection, outside of any transaction.
    /// - Throws: `PortFault`.
    func onWriter<Value: Sendable>(_ work: @Sendable @escaping (Database) throws -> Value) async throws -> Value {
        let place = place
        return try await withCheckedThrowingContinuation { continuation in
            pool.asyncWriteWithoutTransaction { database in
                continuation.resume(with: Result { try work(database) }.mapError { SQLiteFile.fault($0, place) })
            }
        }
    }

    /// Closes all connections after their present work. The last process to do so leaves everything in the one file,
    /// and no file beside it.
    func close() async {
        // A connection that does not close is closed when the process ends, and nothing is lost.
        try? await SQLiteFile.blocking { [pool] in
            // The last connection empties the log, but only if it may write.
            pool.invalidateReadOnlyConnections()
            try pool.close()
        }
    }

    // MARK: Parts

    /// SQLite would go on with a file that nobody can find any more, and lose everything that is written.
    private func checkIdentity() throws(PortFault) {
        guard let identity, Identity(of: path) != identity else { return }
        throw PortFault(
            .unusable, place: place,
            message: "was moved, removed or replaced while it was open, and what is written now would be lost: "
                + "stop every farm that uses it, and start again")
    }

    private static func fault(_ error: any Error, _ place: String) -> any Error {
        error is PortFault || error is CancellationError ? error : PortFault(error, place: place)
    }

    private static func blocking<Value: Sendable>(_ work: @Sendable @escaping () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
        }
    }
}
