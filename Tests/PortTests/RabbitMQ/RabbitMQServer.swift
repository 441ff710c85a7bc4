import Foundation
import Glibc
import Logging
import Pipeline
@testable import RabbitMQ
import Synchronization

/// A broker that the test run starts once, by scripts/servers/rabbitmq.sh; it ends with this process.
actor RabbitMQServer {
    /// The one that all may use.
    static let shared = RabbitMQServer()
    /// The one that a test may stop, kill and starve, if no other test uses it meanwhile.
    static let faulty = RabbitMQServer()

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    nonisolated let port: Int
    nonisolated let folder: String
    private var starting: Task<Void, any Error>?

    init() {
        port = RabbitMQServer.freePort()
        folder = "/tmp/farm-rabbitmq-\(getpid())-\(port)"
    }

    nonisolated var tlsPort: Int { port + 1 }
    nonisolated var caFile: String { folder + "/ca.pem" }

    /// Starts it unless it was started before.
    func ready() async throws {
        if starting == nil { starting = Task { try await self.start() } }
        try await starting?.value
    }

    nonisolated func start() async throws { try await script("start", "\(port)", "\(tlsPort)") }
    nonisolated func stop() async throws { try await script("stop") }
    nonisolated func kill() async throws { try await script("kill") }

    @discardableResult
    nonisolated func control(_ arguments: String...) async throws -> String {
        try await run(["ctl", folder, "--quiet"] + arguments)
    }

    nonisolated func options(name: String = "test") -> RabbitMQOptions {
        RabbitMQOptions(
            hosts: ["localhost"], port: port, user: "guest", password: { "guest" }, virtualHost: "/", tls: false,
            caFile: nil, queueType: .classic, connectionName: name)
    }

    private nonisolated func script(_ verb: String, _ arguments: String...) async throws {
        try await run([verb, folder] + arguments)
    }

    @discardableResult
    private nonisolated func run(_ arguments: [String]) async throws -> String {
        let process = Process()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../scripts/servers/rabbitmq.sh").path
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["bash", script] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["FARM_SERVER_OWNER": "\(getpid())"]) { _, new in new }
        // A file, not a pipe: the server that is started would keep a pipe open.
        let path = "/tmp/farm-rabbitmq-\(UUID().uuidString).out"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        guard status == 0 else { throw Failure(description: "rabbitmq.sh \(arguments): \(status): \(text)") }
        return text
    }

    /// A port below 45000 that is free, with those that the script takes beside it.
    private static func freePort() -> Int {
        var port = 0
        repeat {
            port = Int.random(in: 8000..<12000) * 2
        } while [port, port + 1, port + 10_000, port + 20_000]
            .contains { !isFree($0) }
        return port
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
