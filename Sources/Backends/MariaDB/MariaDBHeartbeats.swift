import Foundation
import Logging
import Pipeline
import Model
import Monitoring
import Waiting

/// The heartbeats of workers in a MariaDB or MySQL database: the table `worker_heartbeats`.
///
/// It connects when that is needed, and again by itself. Writing, reading and preparing each have their own connection,
/// so that a slow report does not delay heartbeats.
public final class MariaDBHeartbeats: HeartbeatStore, Schema, Sendable {
    /// Longer than any heartbeat may wait. Each wait of the library has the same limit.
    static let limit: UInt32 = 5
    /// An index on a large table takes time.
    static let preparingLimit: UInt32 = 60

    let options: MariaDBOptions
    let time: any Timekeeper
    let log: Logger
    private let writing: ConnectionQueue
    let reading: ConnectionQueue
    private let preparing: ConnectionQueue

    /// Does not connect, since the database may be down.
    /// - Parameters:
    ///   - time: measures how long ago the last job was. All other times are from the database's clock.
    ///   - log: receives warnings while the tables are prepared.
    public init(_ options: MariaDBOptions, time: any Timekeeper, log: Logger) {
        self.options = options
        self.time = time
        self.log = log
        writing = ConnectionQueue(options, label: "writing", seconds: MariaDBHeartbeats.limit)
        reading = ConnectionQueue(options, label: "reading", seconds: MariaDBHeartbeats.limit)
        preparing = ConnectionQueue(options, label: "preparing", seconds: MariaDBHeartbeats.preparingLimit)
    }

    /// Writes one row. A worker that has 1,000 rows overwrites its oldest. It takes five seconds at most, and fails at
    /// once while another call waits for a server that does not answer.
    /// - Throws: `PortFault`.
    public func record(_ heartbeat: Heartbeat) async throws {
        let row = HeartbeatRow(heartbeat, now: time.now())
        try await writing.run { try row.write($0) }
    }

    /// The report for `farm monitor`, by the database's clock.
    /// - Throws: `PortFault`.
    public func report(_ windows: MonitorWindows) async throws -> MonitorReport {
        try await reading.run { connection in
            let windows = HeartbeatWindows(windows, now: try StoredHeartbeat.now(connection))
            return MonitorDigest(try StoredHeartbeat.all(connection, in: windows), windows: windows).report
        }
    }

    /// Creates the table, or what is missing in it, if the user may. Then checks whether the user may write.
    /// - Returns: what was done, one line for each step.
    /// - Throws: `PortFault`. If the user lacks the right, the message contains the SQL for the administrator.
    public func prepare() async throws -> [String] {
        let upgrade = HeartbeatTableUpgrade(options: options, log: log)
        return try await preparing.run { try upgrade.run($0) }
    }

    /// Closes the connections. Nothing else may be called after this.
    public func close() async {
        await writing.close()
        await reading.close()
        await preparing.close()
    }
}
