import Foundation
import Monitoring
import Pipeline

extension StoredHeartbeat {
    /// The time of the database's clock.
    /// - Throws: `MariaDBFault`.
    static func now(_ connection: MariaDBConnection) throws -> Date {
        let seconds = try connection.run("SELECT UNIX_TIMESTAMP()").first?.first ?? nil
        return Date(timeIntervalSince1970: seconds.flatMap(Double.init) ?? 0)
    }

    /// The rows that a report needs, oldest first: the recent ones, the last one before them and the first one of each
    /// worker, and the errors. No index begins with the time, so the services are looked up first (an index is skipped
    /// through for them), and then the rows of each by time.
    /// - Throws: `MariaDBFault`.
    static func all(_ connection: MariaDBConnection, in windows: HeartbeatWindows) throws -> [StoredHeartbeat] {
        let services = try connection.run("SELECT DISTINCT service_name FROM worker_heartbeats").compactMap {
            $0.first ?? nil
        }
        let recent = seconds(min(windows.live, windows.performance))
        let values = [recent, recent, seconds(windows.first)] + services + [seconds(windows.errors)]
        return try connection.run(query(services.count), values).compactMap(StoredHeartbeat.init)
    }

    private static func query(_ services: Int) -> String {
        let places = Array(repeating: "?", count: services).joined(separator: ", ")
        let service = "service_name IS NULL" + (services > 0 ? " OR service_name IN (\(places))" : "")
        return """
            SELECT seen, worker_id, service_name, node_hostname, status, jobs_completed, jobs_per_minute, message FROM (
                SELECT id, UNIX_TIMESTAMP(timestamp) AS seen, worker_id, service_name, node_hostname, status, jobs_completed,
                    jobs_per_minute, CASE status WHEN 'error' THEN error_message END AS message,
                    timestamp >= FROM_UNIXTIME(?) AS is_recent,
                    ROW_NUMBER() OVER (PARTITION BY worker_id, service_name, node_hostname, timestamp >= FROM_UNIXTIME(?)
                        ORDER BY timestamp DESC, id DESC) AS nth,
                    timestamp = MIN(timestamp) OVER (PARTITION BY worker_id, service_name, node_hostname) AS is_first
                FROM worker_heartbeats
                WHERE timestamp >= FROM_UNIXTIME(?) AND worker_id IS NOT NULL AND (\(service))
            ) AS beats
            WHERE is_recent OR nth = 1 OR is_first OR (status = 'error' AND seen >= ?) ORDER BY seen, id
            """
    }

    /// The database does not accept a date before 1970.
    private static func seconds(_ date: Date) -> String { String(format: "%.0f", max(1, date.timeIntervalSince1970)) }

    private init?(_ row: [String?]) {
        guard row.count == 8, let seen = row[0].flatMap(Double.init), let workerID = row[1] else { return nil }
        self.init(
            timestamp: Date(timeIntervalSince1970: seen), workerID: workerID, serviceName: row[2] ?? "",
            nodeHostname: row[3] ?? "", status: row[4] ?? "", jobsCompleted: row[5].flatMap(Int.init) ?? 0,
            jobsPerMinute: row[6].flatMap(Double.init) ?? 0, errorMessage: row[7])
    }
}
