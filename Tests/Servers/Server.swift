import Foundation

/// A server of a test run, started and stopped by scripts/servers: nobody's service, on loopback ports of its own.
///
/// `scripts/servers/run.sh` starts one of each kind, which all tests share, each test with a database or virtual host of
/// its own. A test that stops or kills a server starts one for itself; it ends with the run at the latest.
package protocol Server: Sendable {
    /// What the script and the shared server's folder are called.
    static var kind: String { get }
    var place: ServerPlace { get }

    init(_ place: ServerPlace)
}

/// Where a server is.
package struct ServerPlace: Sendable {
    /// All its files, `log` among them.
    package let folder: String
    /// Of 127.0.0.1.
    package let port: Int
    /// The port that takes TLS; the same one, unless the server is RabbitMQ.
    package let tlsPort: Int

    fileprivate init(_ folder: String) throws {
        let ports = try String(contentsOfFile: folder + "/ports", encoding: .utf8).split(whereSeparator: \.isWhitespace)
            .compactMap { Int($0) }
        guard let port = ports.first else { throw ServerFailure("no port in \(folder)/ports") }
        self.folder = folder
        self.port = port
        tlsPort = ports.count > 1 ? ports[1] : port
    }
}

/// What kept a server, or what a test asked of it, from working.
package struct ServerFailure: Error, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}

extension Server {
    /// The name that certificates are for. (librabbitmq does not match addresses.)
    package var host: String { "localhost" }
    package var port: Int { place.port }
    package var tlsPort: Int { place.tlsPort }
    package var folder: String { place.folder }
    /// The authority that signed the server's certificate, in PEM.
    package var caFile: String { place.folder + "/ca.pem" }

    /// The one that all tests share: none may stop it, or change what others see.
    package static func shared() throws -> Self { try Self(ServerPlace(run() + "/" + kind)) }

    /// Starts one that the caller alone uses.
    package static func started() async throws -> Self {
        let folder = try run() + "/\(kind)-" + uniqueName()
        try await script(kind, "start", folder)
        return try Self(ServerPlace(folder))
    }

    /// Starts it again, on the same ports and with its data.
    package func start() async throws { try await script(Self.kind, "start", folder) }

    /// Ends it in good order, or by a signal: KILL is as by a power cut. Returns when it has ended.
    package func stop(_ signal: String? = nil) async throws {
        try await script(Self.kind, ["stop", folder] + (signal.map { [$0] } ?? []))
    }

    package func kill() async throws { try await stop("KILL") }

    /// Ends one that was `started`, for good.
    package func remove() async {
        try? await kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The folder of this run's servers.
    private static func run() throws -> String {
        guard let folder = ProcessInfo.processInfo.environment["FARM_TEST_SERVERS"] else {
            throw ServerFailure(
                "no servers for this run: use `make test`, or for one suite `scripts/servers/run.sh swift test --filter …`"
            )
        }
        return folder
    }
}

/// A name of lower case letters and digits that nobody else uses.
func uniqueName() -> String {
    "t" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased().prefix(12)
}

/// A password that is found in no text by chance.
func uniquePassword() -> String { "secret-" + uniqueName() }
