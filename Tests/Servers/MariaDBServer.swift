/// A MariaDB server whose clock shows another time than UTC. Its administrator is `root`, without a password.
package struct MariaDBServer: Server {
    package static let kind = "mariadb"

    package let place: ServerPlace

    package init(_ place: ServerPlace) { self.place = place }

    /// The Unix socket.
    package var socket: String { folder + "/socket" }

    /// A database of one test's own, and a user who may read, insert and update there and nothing else.
    package struct Database: Sendable {
        package let name: String
        package let user: String
        package let password: String
    }

    /// Makes a database as the guide does: CREATE DATABASE, the monitoring user's rights and, unless it shall be
    /// missing, the table.
    package func database(table: Bool = true) async throws -> Database {
        let name = uniqueName()
        let database = Database(name: name, user: name, password: uniquePassword())
        let root = try await connect()
        try await root.run("CREATE DATABASE \(name)")
        try await root.run("CREATE USER \(name)@'%' IDENTIFIED BY '\(database.password)'")
        try await root.run("GRANT SELECT, INSERT, UPDATE ON \(name).* TO \(name)@'%'")
        if table {
            try await root.run("USE \(name)")
            try await root.run(MariaDBServer.table)
        }
        return database
    }

    /// The variables of a .env that choose it, and heartbeats.
    package func settings(_ database: Database, tls: Bool = false) -> [String: String] {
        [
            "ENABLE_MONITORING": "true", "MONITORING_DB_HOST": host, "MONITORING_DB_PORT": "\(port)",
            "MONITORING_DB_NAME": database.name, "MONITORING_DB_USER": database.user,
            "MONITORING_DB_PASSWORD": database.password, "MONITORING_DB_TLS": "\(tls)",
            "MONITORING_DB_CA_FILE": caFile,
        ]
    }

    package func remove(_ database: Database) async {
        guard let root = try? await connect() else { return }
        _ = try? await root.run("DROP DATABASE \(database.name)")
        _ = try? await root.run("DROP USER \(database.user)@'%'")
    }

    /// Connects as the administrator.
    package func connect(_ database: Database? = nil) async throws -> MariaDBTool {
        try await offPool { try MariaDBTool(self, database: database?.name) }
    }

    /// The guide's.
    private static let table = """
        CREATE TABLE worker_heartbeats (
            id INT AUTO_INCREMENT PRIMARY KEY,
            timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            worker_id VARCHAR(50),
            service_name VARCHAR(50),
            node_hostname VARCHAR(50),
            status ENUM('alive', 'starting', 'stopping', 'error'),
            jobs_completed INT,
            jobs_per_minute FLOAT,
            last_job_time TIMESTAMP,
            queue_depth INT,
            error_message TEXT,
            INDEX idx_worker_time (worker_id, timestamp),
            INDEX idx_service_time (service_name, timestamp)
        )
        """
}
