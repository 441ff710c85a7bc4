import CMariaDB
import Foundation
import Model
import Pipeline

/// A heartbeat in the form in which it is written.
struct HeartbeatRow: Sendable {
    private var workerID: String
    private var values: [String?]

    /// - Parameter now: the time of this machine's clock, by which `lastJobTime` is measured. The database is told how
    ///   long ago that was.
    init(_ heartbeat: Heartbeat, now: Date) {
        workerID = ColumnText.cut(heartbeat.workerID, to: ColumnText.name)
        values = [
            workerID, ColumnText.cut(heartbeat.serviceName, to: ColumnText.name),
            ColumnText.cut(heartbeat.nodeHostname, to: ColumnText.name), heartbeat.status.rawValue,
            HeartbeatColumns.integer(heartbeat.jobsCompleted), HeartbeatColumns.real(heartbeat.jobsPerMinute),
            heartbeat.lastJobTime.map { String(format: "%.0f", max(0, now.timeIntervalSince($0))) },
            heartbeat.queueDepth.map(HeartbeatColumns.integer),
            heartbeat.errorMessage.map { ColumnText.cut($0, to: HeartbeatColumns.message) },
        ]
    }

    /// Inserts the heartbeat, or writes it over the worker's oldest. The time of the row is the database's.
    /// - Throws: `MariaDBFault`.
    func write(_ connection: MariaDBConnection) throws {
        do { try put(connection) } catch let fault as MariaDBFault where fault.number == ER_CANT_AGGREGATE_2COLLATIONS {
            // The character set of the column lacks characters of the id. They would be stored as `?`, but in a
            // comparison they are an error.
            var plain = self
            plain.workerID = String(String.UnicodeScalarView(workerID.unicodeScalars.map { $0.isASCII ? $0 : "?" }))
            plain.values[0] = plain.workerID
            try plain.put(connection)
        }
    }

    private func put(_ connection: MariaDBConnection) throws {
        let count = try connection.run(HeartbeatRow.count, [workerID]).first?.first ?? nil
        if count.flatMap(Int.init) ?? 0 < Heartbeat.rowLimit {
            try connection.run(HeartbeatRow.insert, values)
        } else {
            try connection.run(HeartbeatRow.update, values + [workerID])
        }
    }

    private static let count =
        "SELECT count(*) FROM (SELECT id FROM worker_heartbeats WHERE worker_id = ? LIMIT \(Heartbeat.rowLimit)) AS known"

    private static let insert = """
        INSERT INTO worker_heartbeats (timestamp, worker_id, service_name, node_hostname, status, jobs_completed,
            jobs_per_minute, last_job_time, queue_depth, error_message)
        VALUES (NOW(), ?, ?, ?, ?, ?, ?, FROM_UNIXTIME(UNIX_TIMESTAMP() - ?), ?, ?)
        """

    private static let update = """
        UPDATE worker_heartbeats SET timestamp = NOW(), worker_id = ?, service_name = ?, node_hostname = ?, status = ?,
            jobs_completed = ?, jobs_per_minute = ?, last_job_time = FROM_UNIXTIME(UNIX_TIMESTAMP() - ?),
            queue_depth = ?, error_message = ?
        WHERE worker_id = ? ORDER BY timestamp, id LIMIT 1
        """
}
