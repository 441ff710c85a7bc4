import Foundation
import Model
import Servers
import Testing

/// The guide's five boxes on one machine: a folder each, with the guide's `.env`, the box's own service_config.json as
/// config/machines has it, and the older scripts' names as links to farm. Addresses are loopback, ports those of the test run.
final class GuideCluster: Sendable {
    let boxes: [String: Workplace]
    let services: ServiceDoubles
    let queue: RabbitMQServer
    let database: PostgreSQLServer
    let monitoring: MariaDBServer

    /// The boxes as they are before any server knows of them.
    init() async throws {
        queue = try .shared()
        database = try .shared()
        monitoring = try .shared()
        let boxes = try Dictionary(uniqueKeysWithValues: Guide.boxes.map { ($0, try Workplace()) })
        self.boxes = boxes
        services = try await ServiceDoubles.start(
            CatalogueService.all.map(\.name), gate: "gate", in: try #require(boxes["workstation"]))
        for (name, box) in boxes {
            try box.write(".env", GuideCluster.onLoopback(Guide.environment) + "\n" + addition)
            let shipped = Program.root.appending(path: "config/machines/\(name).json")
            try box.write("service_config.json", try moved(String(contentsOf: shipped, encoding: .utf8)))
            let linked = try await box.farm("link", ".")
            try #require(linked.status == 0, "\(linked.error)")
            try box.executable("bin/sudo", "exec \"$@\"")
            try box.executable(
                "bin/rabbitmqctl",
                "exec \(Program.root.path)/scripts/servers/rabbitmq.sh ctl \(queue.folder) --quiet \"$@\"")
        }
    }

    /// What this cluster's `.env` says beyond the guide's.
    private var addition: String {
        """
        QUEUE_PORT=\(queue.port)
        DB_PORT=\(database.port)
        MONITORING_DB_PORT=\(monitoring.port)
        HEARTBEAT_INTERVAL=0.5
        LOG_FILE=worker.log

        """
    }

    private static func onLoopback(_ text: String) -> String {
        text.replacing(#/192\.168\.0\.\d+/#, with: "127.0.0.1")
    }

    /// A shipped configuration with this machine as every host and the doubles' ports.
    private func moved(_ shipped: String) throws -> String {
        let entries = try #require(try JSON(parsing: shipped)["services"]?.objectValue)
        let moved = try entries.map { entry in
            let members = try (entry.value.objectValue ?? []).map { member in
                switch (member.key, member.value) {
                case ("host", _): JSON.Member("host", "localhost")
                case ("port", let port) where port != 0:
                    JSON.Member("port", .int(Int64(try self.services.port(entry.key))))
                default: member
                }
            }
            return JSON.Member(entry.key, .object(members))
        }
        return JSON.object(["services": .object(moved)]).text
    }

    func box(_ name: String) throws -> Workplace { try #require(boxes[name]) }

    // MARK: What an operator types

    /// Runs one of the guide's lines in a box's folder. `python SCRIPT.py` is `./SCRIPT.py` now.
    func type(_ line: String, on box: String) async throws -> Finished {
        let box = try self.box(box)
        let line = GuideCluster.onLoopback(line).replacing("python ", with: "./")
        let shell = try Running(
            URL(fileURLWithPath: "/bin/bash"), ["-c", line], in: box.folder,
            [
                "PATH": box.path("bin") + ":/usr/bin:/bin", "HOME": box.folder.path, "PGPORT": "\(database.port)",
                "PGPASSWORD": "your_secure_db_password", "MYSQL_TCP_PORT": "\(monitoring.port)",
                "MYSQL_PWD": "your_secure_monitoring_password",
            ])
        let finished = try await shell.finished()
        try #require(finished.status == 0, "\(line): \(finished.error)")
        return finished
    }

    /// The rows of a query of the guide's on the monitoring database: columns separated by tabs.
    func monitoring(_ sql: String) async throws -> [[Substring]] {
        try await type(
            "mysql --no-defaults -h 192.168.0.101 -u worker_monitor -N monitoring <<'SQL'\n\(sql)\nSQL",
            on: "workstation"
        ).output.split(separator: "\n").map { $0.split(separator: "\t") }
    }

    /// Messages by queue, as the guide's line lists them.
    func waiting() async throws -> [String: Int] {
        let rows = try await type(Guide.queues, on: "k2").output.split(separator: "\n").map {
            $0.split(separator: "\t")
        }
        return Dictionary(uniqueKeysWithValues: rows.compactMap { row in Int(row[1]).map { (String(row[0]), $0) } })
    }

    func count(_ sql: String) async throws -> Int {
        let value = try await database.run(sql, in: "animal_farm").first?.first
        return try #require(value.flatMap { Int($0) })
    }

    // MARK: Before and after

    /// The guide's names are global to the servers, which outlive a test that was stopped.
    func clearServers() async throws {
        try await database.run("DROP DATABASE IF EXISTS animal_farm WITH (FORCE)")
        try await database.run("DROP ROLE IF EXISTS animal_farm_user")
        let root = try await monitoring.connect()
        try await root.run("DROP DATABASE IF EXISTS monitoring")
        try await root.run("DROP USER IF EXISTS worker_monitor@'%'")
        try await queue.evaluate(
            """
            [rabbit_amqqueue:delete(Q, false, false, <<"test">>) || Q <- rabbit_amqqueue:list(<<"/">>)],
            catch rabbit_auth_backend_internal:delete_user(<<"animal_farm">>, <<"test">>).
            """)
    }
}

extension Workplace {
    /// Writes a script to run by its name.
    fileprivate func executable(_ name: String, _ line: String) throws {
        try write(name, "#!/bin/bash\n\(line)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path(name))
    }
}
