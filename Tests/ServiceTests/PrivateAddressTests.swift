import Doubles
import Foundation
import Logging
import Model
import Pictures
import Pipeline
import Testing
import Waiting

@testable import Services

@Suite("DENY_PRIVATE_IMAGE_URLS")
struct PrivateAddressTests {
    private let denied = ImagePolicy(deniesPrivateURLs: true)

    private func fault(_ client: HTTPClient, _ url: String) async -> PictureFault? {
        do {
            _ = try await client.fetch(url)
            return nil
        } catch { return error }
    }

    @Test("A picture on loopback is fetched, but not where private addresses are denied; no connection is made")
    func literal() async throws {
        let server = try MisbehavingServer { _ in .answer(200, [1]) }
        let url = "http://127.0.0.1:\(server.port)/a.jpg"
        #expect(try await HTTPClient().fetch(url) == [1])
        #expect(server.connections == 1)
        let fault = try #require(await fault(HTTPClient(policy: denied), url))
        #expect(fault.kind == .image)
        #expect(fault.message == "\(url) is not fetched: its host is private, which DENY_PRIVATE_IMAGE_URLS refuses")
        #expect(server.connections == 1)
    }

    @Test("A name counts by the address that it leads to when the connection is made")
    func resolved() async throws {
        let server = try MisbehavingServer { _ in .answer(200, [1]) }
        let client = HTTPClient(policy: denied)
        let request = HTTPRequest(url: "http://localhost:\(server.port)/", timeout: .seconds(10), bodyLimit: 10)
        let fault = await #expect(throws: HTTPFault.self) { try await client.perform(request) }
        #expect(fault?.cause.hasSuffix("a private address, which DENY_PRIVATE_IMAGE_URLS refuses") == true)
        #expect(server.connections == 0)
    }

    @Test("Each hop of a redirection is checked")
    func redirected() async throws {
        let inner = try MisbehavingServer { _ in .answer(200, [1]) }
        let outer = try MisbehavingServer { _ in
            .json("", status: 302, headers: ["Location": "http://127.0.0.2:\(inner.port)/admin"])
        }
        let url = "http://127.0.0.1:\(outer.port)/a.jpg"
        // Loopback alone can be had here, so that one of its addresses plays the private one.
        let client = HTTPClient(policy: ImagePolicy()) { $0.bytes != [127, 0, 0, 2] }
        let fault = try #require(await fault(client, url))
        #expect(fault.message.contains("the host is at 127.0.0.2, a private address"))
        #expect(outer.requests.count == 1)
        #expect(inner.connections == 0)
    }

    @Test("A service is not given a URL that is refused: the job ends with an image error, the service is not called")
    func service() async throws {
        let server = try MisbehavingServer()
        let endpoint = ServiceEndpoint(name: "blip", host: "127.0.0.1", port: server.port)
        let cases: [(ImagePolicy, String, String)] = [
            (denied, "http://169.254.169.254/latest/meta-data", "its host is private"),
            (denied, "http://127.0.0.1:\(server.port)/admin", "its host is private"),
            (ImagePolicy(), "file:///etc/passwd", "it is no http or https URL"),
        ]
        for (policy, url, reason) in cases {
            let client = ServiceClient(
                endpoint: endpoint, client: HTTPClient(), policy: policy, time: SystemTime(), log: Logger(label: "test")
            )
            let outcome = await client.analyze(.url(url), key: UUID())
            guard case .failed(let failure) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(failure.kind == .image && failure.tries == 0)
            #expect(failure.message.contains("is not given to blip: \(reason)"), "\(failure.message)")
        }
        #expect(server.requests.isEmpty)
        let allowed = ServiceClient(
            endpoint: endpoint, client: HTTPClient(), policy: denied, time: SystemTime(), log: Logger(label: "test"))
        guard case .answered = await allowed.analyze(.url("https://example.com/a.jpg"), key: UUID()) else {
            Issue.record("a public URL is given to the service")
            return
        }
    }

    @Test("What was asked for by TLS is not redirected to the clear, and an unknown certificate is refused")
    func transportSecurity() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "farm-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try SelfSignedServer(in: folder)
        defer { server.stop() }
        let fault = try #require(await fault(HTTPClient(), "https://localhost:\(server.port)/a.jpg"))
        #expect(fault.kind == .image)
        #expect(fault.message.lowercased().contains("certificate"), "\(fault.message)")
        #expect(Transfer.redirectionProtocols(from: "https://a/") == "https")
        #expect(Transfer.redirectionProtocols(from: "http://a/") == "http,https")
    }
}

/// A test double: Python's HTTPS server with a certificate that nobody signed.
private final class SelfSignedServer {
    let port: Int
    private let process = Process()

    init(in folder: String) throws {
        let script = """
            import http.server, ssl, subprocess, sys
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out",
                            "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                           check=True, stderr=subprocess.DEVNULL)
            server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain("cert.pem", "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True)
            print(server.server_port, flush=True)
            server.serve_forever()
            """
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// It has inherited the signal mask of the thread that started it, which may block every other signal.
    func stop() { kill(process.processIdentifier, SIGKILL) }
}
