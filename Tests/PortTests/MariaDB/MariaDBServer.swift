import Foundation
import Glibc
import Logging
import MariaDB
import Model
import Pipeline

/// A private server, started by scripts/servers/mariadb.sh. It ends with the test run.
struct MariaDBServer: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static let user = "worker_monitor"
    static let password = "your_secure_monitoring_password"

    let folder: String
    let port: Int

    var socket: String { folder + "/socket" }
    var caFile: String { folder + "/ca.pem" }

    /// The one that tests share, each with a database of its own. Its clock shows another time than UTC.
    static let shared = Task { try await started() }

    /// One that a test may stop.
    static func started() async throws -> MariaDBServer {
        let server = try unstarted()
        try await server.start()
        try await server.setUp()
        return server
    }

    static func unstarted() throws -> MariaDBServer {
        let port = try freePort()
        return MariaDBServer(folder: "/tmp/farm-mariadb-\(getpid())-\(port)", port: port)
    }

    func start() async throws { try await control("start", folder, "\(port)", "\(getpid())") }
    func stop() async throws { try await control("stop", folder) }
    func kill() async throws { try await control("stop", folder, "kill") }

    /// Stops it for good.
    func remove() async {
        try? await kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func setUp() async throws {
        let root = try await MariaDBTool.connect(self)
        try await root.run("SET GLOBAL time_zone = '+05:30', GLOBAL userstat = 1")
        try await root.run("CREATE USER '\(MariaDBServer.user)'@'%' IDENTIFIED BY '\(MariaDBServer.password)'")
    }

    // MARK: Databases

    func options(_ name: String, user: String = user, password: String = password) -> MariaDBOptions {
        MariaDBOptions(host: "127.0.0.1", port: port, name: name, user: user, password: { password })
    }

    /// Makes a database as the guide does: CREATE DATABASE, the monitoring user's rights and, unless it shall be
    /// missing, the table.
    func database(table: Bool = true) async throws -> String {
        let name = "t_" + UUID().uuidString.replacing("-", with: "").prefix(12).lowercased()
        let root = try await MariaDBTool.connect(self)
        try await root.run("CREATE DATABASE \(name)")
        try await root.run("GRANT SELECT, INSERT, UPDATE ON \(name).* TO '\(MariaDBServer.user)'@'%'")
        if table {
            try await root.run("USE \(name)")
            try await root.run(MariaDBServer.table)
        }
        return name
    }

    /// The guide's.
    static let table = """
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

    // MARK: The script

    private func control(_ arguments: String...) async throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../scripts/servers/mariadb.sh").standardizedFileURL.path
        // A file, not a pipe: the server that is started would keep a pipe open.
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("farm-mariadb-\(UUID().text)").path
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: log) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [script] + arguments
        let output = FileHandle(forWritingAtPath: log)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        guard status == 0 else {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Failure(description: "mariadb.sh \(arguments.joined(separator: " ")) failed (\(status)):\n\(text)")
        }
    }

    /// A port that no outgoing connection takes meanwhile.
    private static func freePort() throws -> Int {
        for port in (13_000..<16_000).shuffled() {
            let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { Glibc.close(descriptor) }
            var address = loopback(port)
            let isFree = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return port }
        }
        throw Failure(description: "no free port")
    }

    static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return address
    }
}
