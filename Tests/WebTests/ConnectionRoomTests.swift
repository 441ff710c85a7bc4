import Hummingbird
import Logging
import Telemetry
import Testing

@testable import Web

@Suite("Room for connections", .timeLimit(.minutes(2)))
struct ConnectionRoomTests {
    @Test(
        "connections on which nothing is asked make room for new ones, the oldest first; those that are answered stay")
    func room() async throws {
        let (released, release) = AsyncStream.makeStream(of: Void.self)
        let router = Router.measured(FarmMetrics(version: ""))
        router.answer(
            "/held",
            [
                .get: { _, _ in
                    for await _ in released { break }
                    return Response(plain: "held\n")
                }
            ])
        router.answer("/healthz", [.get: { _, _ in Response(plain: "ok\n") }])
        var limits = WebServer.Limits()
        (limits.connections, limits.ending) = (8, .milliseconds(100))
        // Otherwise there would be room after a while.
        limits.idle = .seconds(3600)
        let server = WebServer(
            host: "127.0.0.1", port: 0, limits: limits, router: router, log: WebServerTests.log)
        try await server.during { port in
            let held = try RawConnection(port: port)
            try held.send("GET /held HTTP/1.1\r\nHost: farm\r\nConnection: close\r\n\r\n")
            var idle: [RawConnection] = []
            for number in 0..<40 {
                let connection = try RawConnection(port: port)
                // Also one that has begun a request is idle.
                if number % 2 == 1 { try connection.send("GET /healthz HTTP/1.1\r\nHost: farm\r\n") }
                idle.append(connection)
            }
            #expect(try await RawConnection.ask(port, "GET /healthz HTTP/1.1").hasPrefix("HTTP/1.1 200 "))
            // The first of them has had to go.
            #expect(await idle[0].read().isEmpty)
            release.yield()
            #expect(String(decoding: await held.read(), as: UTF8.self).hasSuffix("held\n"))
            for connection in idle + [held] { connection.close() }
        }
    }
}
