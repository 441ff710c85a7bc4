import Foundation
import GRDB
import Monitoring
import Pipeline

extension StoredHeartbeat {
    /// Rows since a date, oldest first. Other tools write times in other forms, so a row whose text sorts after the
    /// date is checked again. A row without a readable time is left out.
    static func all(_ database: Database, since: Date) throws -> [StoredHeartbeat] {
        try database.all(
            """
            SELECT timestamp, worker_id, service_name, node_hostname, status, jobs_completed, jobs_per_minute,
                CASE status WHEN 'error' THEN error_message END
            FROM worker_heartbeats WHERE timestamp >= ? AND worker_id IS NOT NULL ORDER BY timestamp, id
            """, [StoredTime.text(since)]
        ) { row -> StoredHeartbeat? in
            guard let timestamp = row.time(0), timestamp >= since else { return nil }
            return StoredHeartbeat(
                timestamp: timestamp, workerID: row.text(1) ?? "", serviceName: row.text(2) ?? "",
                nodeHostname: row.text(3) ?? "", status: row.text(4) ?? "", jobsCompleted: row.integer(5) ?? 0,
                jobsPerMinute: row.real(6) ?? 0, errorMessage: row.text(7))
        }
        .compactMap { $0 }
    }
}
