import Foundation
import Glibc
import Logging
import Model
import Pipeline
import PostgreSQL
import Synchronization
import Testing

/// A private server, started by scripts/servers. It ends with the test run.
struct PostgreSQLServer: Sendable {
    let folder: String
    let port: Int

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    fileprivate static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../scripts/servers/postgres.sh").standardizedFileURL.path

    /// The one that tests share, each with a database of its own.
    private static let shared = Task {
        let server = try await PostgreSQLServer.start()
        running.withLock { $0.append(server.folder) }
        return server
    }

    /// One that a test may stop.
    static func start() async throws -> PostgreSQLServer {
        let server = PostgreSQLServer(
            folder: FileManager.default.temporaryDirectory.appendingPathComponent("farm-postgresql-\(UUID().text)")
                .path,
            port: try freePort())
        try await server.start()
        return server
    }

    func start() async throws {
        try await control("start", folder, String(port), String(getpid()))
    }

    func stop(_ mode: String) async throws { try await control("stop", folder, mode) }

    /// Stops it for good.
    func remove() async {
        try? await stop("immediate")
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func control(_ arguments: String...) async throws {
        let command = [PostgreSQLServer.script] + arguments
        let (status, output) = try await offPool {
            let log = NSTemporaryDirectory() + "farm-server-\(UUID().text)"
            defer { try? FileManager.default.removeItem(atPath: log) }
            let status = PostgreSQLServer.spawn(command, output: log)
            return (status, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
        }
        guard status == 0 else {
            throw Failure(description: "\(command.joined(separator: " ")) failed (\(status)):\n\(output)")
        }
    }

    /// Runs a command to its end. Foundation's `Process` would wait for the server that the command leaves behind.
    fileprivate static func spawn(_ command: [String], output: String) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let arguments = command.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        guard let path = command.first, posix_spawn(&child, path, &actions, nil, arguments + [nil], environ) == 0 else {
            return -1
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure(description: "no free port: \(String(cString: strerror(errno)))") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    // MARK: Databases

    func options(_ name: String = "postgres", user: String = "postgres", password: String = "") -> PostgreSQLOptions {
        PostgreSQLOptions(
            host: "127.0.0.1", port: port, name: name, user: user, password: { password }, sslMode: "disable",
            applicationName: name)
    }

    /// Makes an empty database and says how to reach it.
    func database(owner: String? = nil) async throws -> PostgreSQLOptions {
        let name = "t_" + UUID().text.replacing("-", with: "").prefix(12)
        _ = try await tool(options(), "CREATE DATABASE \(name)" + (owner.map { " OWNER \($0)" } ?? ""))
        return options(String(name))
    }

    func drop(_ options: PostgreSQLOptions) async {
        _ = try? await tool(self.options(), "DROP DATABASE IF EXISTS \(options.name) WITH (FORCE)")
    }
}

private let running = Mutex<[String]>([])

/// Stops what is left when the run ends. If the run is killed, the script's watch over its owner does.
private let cleanUp: Void = {
    atexit {
        for folder in running.withLock({ $0 }) {
            _ = PostgreSQLServer.spawn([PostgreSQLServer.script, "stop", folder, "immediate"], output: "/dev/null")
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}()

extension PostgreSQLServer {
    /// The shared server, started if need be.
    static func common() async throws -> PostgreSQLServer {
        cleanUp
        return try await shared.value
    }
}

func offPool<Value: Sendable>(_ work: @Sendable @escaping () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
    }
}
