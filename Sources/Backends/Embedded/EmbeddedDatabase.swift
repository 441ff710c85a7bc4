import Foundation
import Logging
import Pipeline
import Synchronization
import Waiting

/// The SQLite file of an embedded farm: queue, store and heartbeats. Several farm processes may use one file at once.
public final class EmbeddedDatabase: Schema, Sendable {
    let file: SQLiteFile
    let time: any Timekeeper
    let log: Logger
    /// What the consumers of this process share.
    let hub: ConsumerHub
    /// Distinguishes this run of the program from others with the same worker id.
    let run = UUID()
    /// What opening the file has done to the schema, until `prepare` reports it.
    private let untold: Mutex<[String]>

    /// Opens the file, creates it if it is missing, and brings its tables up to date.
    /// - Parameters:
    ///   - path: the path of the file. Its folder must exist.
    ///   - time: the wall clock for leases, delays and the times in rows.
    ///   - lease: how long a silent process keeps its deliveries. It is renewed three times as often.
    /// - Throws: `PortFault`, which says how to mend it: no such folder, not a database, read-only, locked, disk full,
    ///   made by a newer farm.
    public init(path: String, time: any Timekeeper, log: Logger, lease: Duration = .seconds(15)) async throws {
        let file = try await SQLiteFile.open(path)
        self.file = file
        self.time = time
        self.log = log
        hub = ConsumerHub(file: file, time: time, log: log, lease: lease)
        do {
            let now = time.now()
            let isCurrent = try await file.read { try EmbeddedVersion.isCurrent($0, place: file.place) }
            let done = isCurrent ? [] : try await file.write { try EmbeddedUpgrade.run($0, at: now, place: file.place) }
            // This is outside of the upgrade's transaction, so that others can write meanwhile.
            if try await file.read({ try RowCounter.isUncounted($0) }) { try await RowCounter.recount(file, at: now) }
            untold = Mutex(done)
        } catch {
            await file.close()
            throw error
        }
    }

    /// Brings tables and indexes up to date. It may run again, and in several processes at once.
    /// - Returns: what was done here or when the file was opened, one line for each step.
    /// - Throws: `PortFault`.
    public func prepare() async throws -> [String] {
        let (now, place) = (time.now(), file.place)
        let done = try await file.write { try EmbeddedUpgrade.run($0, at: now, place: place) }
        return untold.withLock { untold in
            defer { untold = [] }
            return untold + done
        }
    }

    /// Gives back what is unsettled in this process, and closes the file. Nothing else may be called after this.
    public func close() async {
        await hub.close()
        await file.close()
    }
}
