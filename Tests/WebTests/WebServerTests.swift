import HTTPTypes
import Hummingbird
import Logging
import Telemetry
import Testing

@testable import Web

@Suite("The web server", .timeLimit(.minutes(2)))
struct WebServerTests {
    static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private let metrics = FarmMetrics(version: "0.2.0")

    private func server(port: Int = 0, host: String = "127.0.0.1") -> WebServer {
        WebServer(metrics: metrics, host: host, port: port, log: WebServerTests.log)
    }

    @Test("gives Prometheus the metrics, and says that it lives")
    func pages() async throws {
        try await server().during { port in
            let page = try await RawConnection.ask(port, "GET /metrics HTTP/1.1")
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(page.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(page.contains("\r\n\r\n# HELP farm_build_info"))
            #expect(page.contains(#"farm_build_info{version="0.2.0"} 1"#))
            let health = try await RawConnection.ask(port, "GET /healthz HTTP/1.1")
            #expect(health.hasPrefix("HTTP/1.1 200 OK\r\n") && health.hasSuffix("\r\n\r\nok\n"))
        }
    }

    @Test("answers HEAD without a body, other methods with those that are allowed, other paths with 404")
    func methods() async throws {
        try await server().during { port in
            let head = try await RawConnection.ask(port, "HEAD /healthz HTTP/1.1")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
            #expect(head.contains("\r\nContent-Length: 3\r\n"))
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"] {
                let answer = try await RawConnection.ask(port, "\(method) /metrics HTTP/1.1\r\nContent-Length: 0")
                #expect(answer.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"), "\(method)")
                #expect(answer.contains("\r\nAllow: GET, HEAD\r\n"), "\(method)")
            }
            #expect(try await RawConnection.ask(port, "GET /nothing HTTP/1.1").hasPrefix("HTTP/1.1 404 "))
            let unusual = try await RawConnection.ask(port, "PROPFIND /metrics HTTP/1.1")
            #expect(unusual.hasPrefix("HTTP/1.1 501 "))
        }
    }

    @Test("measures its answers by route and code; a path that is no route is no label")
    func measures() async throws {
        try await server().during { port in
            for path in ["/healthz", "/healthz", "/x\"y", "/no/such"] {
                _ = try await RawConnection.ask(port, "GET \(path) HTTP/1.1")
            }
            _ = try await RawConnection.ask(port, "POST /metrics HTTP/1.1\r\nContent-Length: 0")
            let lines = metrics.registry.text.split(separator: "\n").filter {
                $0.hasPrefix("farm_http_request_duration_seconds_count")
            }
            #expect(
                lines == [
                    #"farm_http_request_duration_seconds_count{route="/healthz",code="200"} 2"#,
                    #"farm_http_request_duration_seconds_count{route="/metrics",code="405"} 1"#,
                    #"farm_http_request_duration_seconds_count{route="other",code="404"} 2"#,
                ])
        }
    }

    @Test("refuses a head that is too long")
    func heads() async throws {
        let long = "X-Long: " + String(repeating: "a", count: 9_000)
        let many = (0..<120).map { "X-\($0): a" }.joined(separator: "\r\n")
        try await server().during { port in
            for head in [long, many] {
                let answer = try await RawConnection.ask(port, "GET /healthz HTTP/1.1\r\n" + head)
                #expect(answer.hasPrefix("HTTP/1.1 400 ") || answer.hasPrefix("HTTP/1.1 431 "))
            }
            #expect(try await RawConnection.ask(port, "GET /healthz HTTP/1.1").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("says who is in the way where it cannot listen")
    func listening() async throws {
        try await server().during { port in
            let fault = await #expect(throws: ListenFault.self) { try await server(port: port).during { _ in } }
            #expect(fault?.kind == .inUse && fault?.description == "127.0.0.1:\(port) is in use by another process")
        }
        // An address for documentation, which no machine has.
        let elsewhere = await #expect(throws: ListenFault.self) {
            try await server(host: "203.0.113.1").during { _ in }
        }
        #expect(elsewhere?.description == "203.0.113.1 is no address of this machine")
        let unknown = await #expect(throws: ListenFault.self) {
            try await server(host: "no-such-host.invalid").during { _ in }
        }
        #expect(unknown?.kind == .notHere)
    }

    @Test("ends with the work, also while connections are open, and its port is free again")
    func ending() async throws {
        struct Broken: Error {}
        var connections: [RawConnection] = []
        let port = try await server().during { port in
            let idle = try RawConnection(port: port)
            let used = try RawConnection(port: port)
            try used.send("GET /healthz HTTP/1.1\r\nHost: farm\r\n\r\n")
            _ = await used.read { String(decoding: $0, as: UTF8.self).hasSuffix("ok\n") }
            let halfway = try RawConnection(port: port)
            try halfway.send("GET /heal")
            connections = [idle, used, halfway]
            return port
        }
        for connection in connections {
            // Its end: whatever a half request is answered with, this returns.
            _ = await connection.read()
            connection.close()
        }
        await #expect(throws: Broken.self) { try await server(port: port).during { _ in throw Broken() } }
    }
}
