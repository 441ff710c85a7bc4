import Foundation
import GRDB
import Model
import Monitoring
import Pipeline
import Waiting

/// The heartbeats of workers in the file.
public struct EmbeddedHeartbeats: HeartbeatStore {
    let file: SQLiteFile
    let time: any Timekeeper

    /// The heartbeats of a file. Several values may share the file.
    public init(_ database: EmbeddedDatabase) {
        file = database.file
        time = database.time
    }

    /// Writes one row. Counting at most a thousand index entries once a minute is cheaper than remembering the count.
    public func record(_ heartbeat: Heartbeat) async throws {
        let now = StoredTime.text(time.now())
        try await file.write { database in
            let workerID = ColumnText.cut(heartbeat.workerID, to: ColumnText.name)
            let values: StatementArguments = [
                now, workerID, ColumnText.cut(heartbeat.serviceName, to: ColumnText.name),
                ColumnText.cut(heartbeat.nodeHostname, to: ColumnText.name),
                heartbeat.status.rawValue, heartbeat.jobsCompleted,
                heartbeat.jobsPerMinute.isFinite ? heartbeat.jobsPerMinute : nil,
                heartbeat.lastJobTime.map(StoredTime.text),
                heartbeat.queueDepth, heartbeat.errorMessage,
            ]
            let count = try database.integer(
                "SELECT count(*) FROM (SELECT 1 FROM worker_heartbeats WHERE worker_id = ? LIMIT \(Heartbeat.rowLimit))",
                [workerID])
            if count ?? 0 < Heartbeat.rowLimit {
                try database.run(
                    """
                    INSERT INTO worker_heartbeats (timestamp, worker_id, service_name, node_hostname, status, jobs_completed,
                        jobs_per_minute, last_job_time, queue_depth, error_message)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """, values)
            } else {
                try database.run(
                    """
                    UPDATE worker_heartbeats SET timestamp = ?, worker_id = ?, service_name = ?, node_hostname = ?, status = ?,
                        jobs_completed = ?, jobs_per_minute = ?, last_job_time = ?, queue_depth = ?, error_message = ?
                    WHERE id = (SELECT id FROM worker_heartbeats WHERE worker_id = ? ORDER BY timestamp, id LIMIT 1)
                    """, values + [workerID])
            }
        }
    }

    /// The report for `farm monitor`, by the injected clock.
    public func report(_ windows: MonitorWindows) async throws -> MonitorReport {
        let now = time.now()
        let place = HeartbeatWindows(windows, now: now)
        return try await file.read { database in
            let heartbeats = try StoredHeartbeat.all(database, since: place.first)
            return MonitorDigest(heartbeats, windows: place).report
        }
    }
}
