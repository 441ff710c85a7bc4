import Foundation
import Logging
import MariaDB
import Model
import Pipeline
import Servers
import Waiting

extension MariaDBHeartbeats {
    convenience init(_ options: MariaDBOptions) { self.init(options, time: SystemTime(), log: quiet) }
}

extension MariaDBServer {
    func options(_ name: String, user: String, password: String) -> MariaDBOptions {
        MariaDBOptions(host: "127.0.0.1", port: port, name: name, user: user, password: { password })
    }

    func options(_ database: Database) -> MariaDBOptions {
        options(database.name, user: database.user, password: database.password)
    }

    /// As the administrator.
    func rootOptions(_ database: Database) -> MariaDBOptions { options(database.name, user: "root", password: "") }
}

extension HeartbeatBackend {
    /// With the rights that the guide grants, on the table that it makes.
    static let mariadb = HeartbeatBackend(name: "MariaDB") {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let root = try await server.connect(database)
        let store = MariaDBHeartbeats(server.options(database))
        return HeartbeatBase(
            store: store, insert: { beat, age in try await root.insert(beat, age: age) },
            count: { worker in
                let count = try await root.value("SELECT count(*) FROM worker_heartbeats WHERE worker_id = '\(worker)'")
                return Int(count) ?? 0
            },
            close: {
                await store.close()
                await server.remove(database)
            })
    }
}

extension MariaDBTool {
    /// A row that was written so long ago, by the database's clock.
    func insert(_ beat: Heartbeat, age: Duration) async throws {
        try await run(
            """
            INSERT INTO worker_heartbeats (timestamp, worker_id, service_name, node_hostname, status, jobs_completed,
                jobs_per_minute, error_message)
            VALUES (NOW() - INTERVAL \(age.seconds) SECOND, '\(beat.workerID)', '\(beat.serviceName)',
                '\(beat.nodeHostname)', '\(beat.status.rawValue)', \(beat.jobsCompleted), \(beat.jobsPerMinute),
                \(beat.errorMessage.map { "'\($0)'" } ?? "NULL"))
            """)
    }
}
