import Foundation
import FoundationNetworking
import Model
import Synchronization
import Testing

/// What a double has been asked.
struct Calls {
    var begun: Int
    var answered: Int
    /// When the last call came, in seconds since 1970.
    var last: Double?
    /// The `traceparent` headers of those that had one.
    var traces: [String]
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
        try await start(
            "services.py",
            ["--delay", "\(delay)"] + (gate.map { ["--gate", workplace.path($0)] } ?? [])
                + failing.flatMap { ["--fail", "\($0.service)=\($0.text)"] }, services, in: workplace)
    }

    /// Starts those of Doubles/misbehaving.py: what a picture is called decides how they answer.
    static func misbehaving(_ services: [String], in workplace: Workplace) async throws -> ServiceDoubles {
        try await start("misbehaving.py", ["--pictures", workplace.path("served")], services, in: workplace)
    }

    private static func start(
        _ script: String, _ flags: [String], _ services: [String], in workplace: Workplace
    ) async throws -> ServiceDoubles {
        let ports = try zip(services, freePorts(services.count)).map { ($0, $1) }
        let ready = workplace.path("doubles-ready-\(UUID().text)")
        let running = try Running(
            URL(fileURLWithPath: "/usr/bin/python3"),
            [Program.tool(script), "--ready-file", ready] + flags + ports.map { "\($0.0)=\($0.1)" },
            in: workplace.folder, ["PATH": "/usr/bin:/bin"])
        try await eventually("the services are ready") {
            FileManager.default.fileExists(atPath: ready) || !running.isRunning
        }
        try #require(FileManager.default.fileExists(atPath: ready), "\(running.error)")
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
            last: json["last"]?.numberValue,
            traces: json["traces"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }

    /// Below the ports that the kernel gives to outgoing connections, which would take one between here and its use.
    private static let next = Atomic(20_000 + Int(ProcessInfo.processInfo.processIdentifier) % 1000 * 10)

    /// Ports that nobody listens on, none of them given out twice.
    static func freePorts(_ count: Int) throws -> [Int] {
        var ports: [Int] = []
        for _ in 0..<12_000 where ports.count < count {
            let port = 20_000 + (next.wrappingAdd(1, ordering: .relaxed).oldValue - 20_000) % 12_000
            if isFree(port) { ports.append(port) }
        }
        try #require(ports.count == count, "no free ports")
        return ports
    }

    private static func isFree(_ port: Int) -> Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
