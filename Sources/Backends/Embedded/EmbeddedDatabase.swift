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
    /// Tells this run of the program from others that have the same worker id.
    let run = UUID()
    /// What opening has done to the schema, until `prepare` tells it.
    private let untold: Mutex<[String]>

    /// Opens the file, made at first use, and brings its tables up to date.
    /// - Parameters:
    ///   - path: of the file; its folder must exist.
    ///   - time: the wall clock that leases, delays and the rows' times go by.
    ///   - lease: how long a process that says nothing keeps its deliveries. It is renewed three times as often.
    /// - Throws: `PortFault` with the way to mend it: no such folder, not a database, read-only, locked, disk full, made by
    ///   a newer farm.
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
            // Outside of the upgrade's transaction: others write meanwhile.
            if try await file.read({ try RowCounter.isUncounted($0) }) { try await RowCounter.recount(file, at: now) }
            untold = Mutex(done)
        } catch {
            await file.close()
            throw error
        }
    }

    /// Brings tables and indexes up to date; safe to run again and by several processes at once.
    /// - Returns: what was done, a line each, here or when the file was opened.
    /// - Throws: `PortFault`.
    public func prepare() async throws -> [String] {
        let (now, place) = (time.now(), file.place)
        let done = try await file.write { try EmbeddedUpgrade.run($0, at: now, place: place) }
        return untold.withLock { untold in
            defer { untold = [] }
            return untold + done
        }
    }

    /// Gives back what is unsettled in this process and closes the file. Nothing else may be called after it.
    public func close() async {
        await hub.close()
        await file.close()
    }
}
