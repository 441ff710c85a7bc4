import Foundation
import Logging
import Pipeline
import Synchronization
import Waiting

/// A database on a PostgreSQL server, 15 or newer. Every process has a few connections of its own.
public final class PostgreSQLDatabase: Schema, Sendable {
    private static let connections = 4
    private static let readingConnections = 2

    /// The primary; where nothing will be written, the same as the replica.
    let primary: ConnectionPool
    /// What is read for people: the replica where there is one.
    let replica: ConnectionPool
    /// Tells this run of the program from others that have the same worker id.
    let run = UUID()
    private let upgrade: PostgreSQLUpgrade
    /// What opening has done to the schema, until `prepare` tells it.
    private let untold = Mutex<[String]>([])

    /// Connects, and brings the tables up to date; a reader only checks that they are.
    /// - Parameters:
    ///   - time: measures the waits before something is tried again.
    ///   - readsOnly: nothing will be written; where there is a replica the primary is not asked at all.
    /// - Throws: `PortFault`: `transient` if the server is out of reach, else with the way to mend it.
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

    /// Brings tables and indexes up to date; safe to run again and by several boxes at once.
    /// - Returns: what was done, a line each, here or when the database was opened.
    /// - Throws: `PortFault`.
    public func prepare() async throws -> [String] {
        let done = try await primary.run(PostgreSQLUpgrade.isNeeded) ? try await upgrade.run() : []
        return untold.withLock { untold in
            defer { untold = [] }
            return untold + done
        }
    }

    /// Closes all connections; what is under way ends first.
    public func close() async {
        await primary.close()
        if replica !== primary { await replica.close() }
    }
}
