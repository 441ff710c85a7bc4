import Foundation
import Logging
import Model
import Pipeline
import Synchronization
import Waiting

/// A database on a PostgreSQL server, version 15 or newer. Every process has a few connections of its own.
public final class PostgreSQLDatabase: Schema, Sendable {
    private static let connections = 4
    private static let readingConnections = 2

    /// The primary. If nothing will be written, the same as the replica.
    let primary: ConnectionPool
    /// The replica, if there is one, for what is read for people.
    let replica: ConnectionPool
    /// Distinguishes this run of the program from others with the same worker id.
    let run = UUID()
    /// What all stages of this process write and ask goes in common transactions.
    let recording: SharedTrip<AnalysisResult, Bool>
    let asking: SharedTrip<JobKey, JobStanding>
    private let upgrade: PostgreSQLUpgrade
    /// What opening the database has done to the schema, until `prepare` reports it.
    private let untold = Mutex<[String]>([])

    /// Connects, and brings the tables up to date. A reader only checks that they are.
    /// - Parameters:
    ///   - time: measures the waits between tries.
    ///   - readsOnly: whether nothing will be written. If there is a replica, the primary is not asked at all.
    /// - Throws: `PortFault`: `transient` if the server is out of reach, otherwise with the way to mend it.
    public init(
        _ options: PostgreSQLOptions, time: any Timekeeper, log: Logger, readsOnly: Bool = false
    ) async throws {
        let written = ConnectionPool(
            Server(host: options.host, options: options), size: PostgreSQLDatabase.connections, time: time, log: log)
        replica =
            options.readHost.map {
                ConnectionPool(
                    Server(host: $0, options: options), size: PostgreSQLDatabase.readingConnections, time: time,
                    log: log)
            } ?? written
        primary = readsOnly ? replica : written
        recording = PostgreSQLStore.sharedRecording(primary, time)
        asking = PostgreSQLStore.sharedAsking(primary, time)
        upgrade = PostgreSQLUpgrade(pool: primary, time: time, log: log)
        do {
            let isCurrent = try await primary.run(PostgreSQLVersion.isCurrent)
            if !isCurrent {
                guard !readsOnly else {
                    throw PortFault(
                        .unusable, place: replica.server.place,
                        message: "its tables are not up to date: run `farm init`, or any role that writes")
                }
                let done = try await upgrade.run()
                untold.withLock { $0 = done }
            }
        } catch {
            await close()
            throw error
        }
    }

    /// Brings tables and indexes up to date. It may run again, and on several machines at once.
    /// - Returns: what was done here or when the database was opened, one line for each step.
    /// - Throws: `PortFault`.
    public func prepare() async throws -> [String] {
        let done = try await primary.run(PostgreSQLUpgrade.isNeeded) ? try await upgrade.run() : []
        return untold.withLock { untold in
            defer { untold = [] }
            return untold + done
        }
    }

    /// Closes all connections after their present work.
    public func close() async {
        await primary.close()
        if replica !== primary { await replica.close() }
    }
}
