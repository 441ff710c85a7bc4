import Foundation
import FoundationNetworking
import Model
import Testing

/// What a double has been asked.
struct Calls {
    var begun: Int
    var answered: Int
    /// When the last call came, in seconds since 1970.
    var last: Double?
}

/// The test double of HTTP services (Doubles/services.py), on loopback ports of its own.
final class ServiceDoubles: Sendable {
    let ports: [(service: String, port: Int)]
    private let running: Running

    private init(_ ports: [(service: String, port: Int)], _ running: Running) {
        self.ports = ports
        self.running = running
    }

    deinit { running.signal(SIGTERM) }

    /// Starts them and waits until they listen.
    /// - Parameters:
    ///   - gate: a file of the workplace: while it exists no call is answered.
    ///   - failing: services that answer 500 where the request holds the text.
    static func start(
        _ services: [String], delay: Double = 0, gate: String? = nil, failing: [(service: String, text: String)] = [],
        in workplace: Workplace
    ) async throws -> ServiceDoubles {
        let ports = try zip(services, freePorts(services.count)).map { ($0, $1) }
        let script = Program.root.appending(path: "Tests/CommandTests/Doubles/services.py").path
        let ready = workplace.path("doubles-ready-\(UUID().text)")
        let running = try Running(
            URL(fileURLWithPath: "/usr/bin/python3"),
            [script, "--delay", "\(delay)", "--ready-file", ready] + ports.map { "\($0.0)=\($0.1)" }
                + (gate.map { ["--gate", workplace.path($0)] } ?? [])
                + failing.flatMap { ["--fail", "\($0.service)=\($0.text)"] },
            in: workplace.folder,
            ["PATH": "/usr/bin:/bin"])
        try await eventually("the services are ready") { FileManager.default.fileExists(atPath: ready) }
        return ServiceDoubles(ports, running)
    }

    func stop() async throws {
        running.signal(SIGTERM)
        _ = try await running.finished()
    }

    func port(_ service: String) throws -> Int { try #require(ports.first { $0.service == service }).port }

    /// What a service has been asked so far.
    func calls(of service: String) async throws -> Calls {
        let url = try #require(URL(string: "http://127.0.0.1:\(try port(service))/calls"))
        let (data, _) = try await URLSession.shared.data(from: url)
        let json = try JSON(parsing: String(decoding: data, as: UTF8.self))
        return Calls(
            begun: try #require(json["begun"]?.integerValue), answered: try #require(json["calls"]?.integerValue),
            last: json["last"]?.numberValue)
    }

    /// Ports that nobody listens on.
    static func freePorts(_ count: Int) throws -> [Int] {
        // All are bound before the first is released, so that they differ.
        let sockets = (0..<count).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { for socket in sockets { close(socket) } }
        return try sockets.map { socket in
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
                }
            }
            try #require(bound)
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }
}
