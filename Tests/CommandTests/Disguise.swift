import Foundation
import Servers
import Testing

/// The test double of older or lesser servers (Doubles/disguise.py), on loopback ports of its own.
struct Disguise {
    let ports: [Int]
    private let ready: String
    private let running: Running

    /// Real servers, each with one text of what it says replaced by another of the same length.
    static func of(_ servers: [(port: Int, text: String, other: String)], in workplace: Workplace) async throws
        -> Disguise
    {
        try await start(servers.map { "\($0.port)=\($0.text)=\($0.other)" }, in: workplace)
    }

    /// Real servers that say they have no TLS.
    static func plain(_ postgreSQL: PostgreSQLServer, _ mariaDB: MariaDBServer, in workplace: Workplace) async throws
        -> Disguise
    {
        try await start(["--plain", "\(postgreSQL.port)", "\(mariaDB.port)"], in: workplace)
    }

    /// A TLS listener with a server's certificate, which notes what names its clients ask for.
    static func listener(_ server: some Server, in workplace: Workplace) async throws -> Disguise {
        try await start(["--tls", server.folder + "/server.pem", server.folder + "/server.key"], in: workplace)
    }

    private static func start(_ arguments: [String], in workplace: Workplace) async throws -> Disguise {
        let ready = workplace.path("disguise-\(UUID().text)")
        let running = try Running(
            URL(fileURLWithPath: "/usr/bin/python3"), [Program.tool("disguise.py"), ready] + arguments,
            in: workplace.folder, ["PATH": "/usr/bin:/bin"])
        try await eventually("the disguise is ready") {
            FileManager.default.fileExists(atPath: ready) || !running.isRunning
        }
        let ports = try String(contentsOfFile: ready, encoding: .utf8).split(separator: " ").compactMap { Int($0) }
        return Disguise(ports: ports, ready: ready, running: running)
    }

    /// The names that clients have asked for.
    func names() -> [Substring] {
        ((try? String(contentsOfFile: ready + ".names", encoding: .utf8)) ?? "").split(separator: "\n")
    }

    func stop() { running.signal(SIGTERM) }
}
