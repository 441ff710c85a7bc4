/// The table `worker_heartbeats` as spec section 4 fixes it.
enum HeartbeatTable {
    static let name = "worker_heartbeats"

    struct Index: Sendable {
        var name: String
        var columns: [String]
        var definition: String { "INDEX \(name) (\(columns.joined(separator: ", ")))" }
    }

    /// Names and definitions. `NULL` is explicit where an older server has another default.
    static let columns: [(name: String, definition: String)] = [
        ("id", "INT AUTO_INCREMENT PRIMARY KEY"),
        ("timestamp", "TIMESTAMP DEFAULT CURRENT_TIMESTAMP"),
        ("worker_id", "VARCHAR(50)"),
        ("service_name", "VARCHAR(50)"),
        ("node_hostname", "VARCHAR(50)"),
        ("status", "ENUM('alive', 'starting', 'stopping', 'error')"),
        ("jobs_completed", "INT"),
        ("jobs_per_minute", "FLOAT"),
        ("last_job_time", "TIMESTAMP NULL"),
        ("queue_depth", "INT"),
        ("error_message", "TEXT"),
    ]

    static let indexes = [
        Index(name: "idx_worker_time", columns: ["worker_id", "timestamp"]),
        Index(name: "idx_service_time", columns: ["service_name", "timestamp"]),
    ]

    static let create: String = {
        let parts = columns.map { "\($0.name) \($0.definition)" } + indexes.map(\.definition)
        return "CREATE TABLE IF NOT EXISTS \(name) (\n    \(parts.joined(separator: ",\n    "))\n)"
    }()
}
