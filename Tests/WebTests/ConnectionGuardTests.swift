import Hummingbird
import Logging
import Telemetry
import Testing

@testable import Web

/// A server of bodies that are larger than what sockets hold.
private struct LargeBodies {
    static let length = 24 << 20

    let server: WebServer
    /// The ends of bodies: whether each was handed over, or could not be written.
    let ends: AsyncStream<Bool>

    init(_ change: (inout WebServer.Limits) -> Void = { _ in }) {
        var limits = WebServer.Limits()
        limits.ending = .milliseconds(100)
        // What these tests wait for is not the end of a connection on which nothing is said.
        limits.idle = .seconds(3600)
        change(&limits)
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        self.ends = ends
        let router = Router.measured(FarmMetrics(version: ""))
        router.answer(
            "/large",
            [
                .get: { _, _ in
                    Response(
                        status: .ok,
                        body: ResponseBody(contentLength: LargeBodies.length) { writer in
                            do {
                                for _ in 0..<4 {
                                    try await writer.write(
                                        ByteBuffer(repeating: 65, count: LargeBodies.length / 4))
                                }
                                try await writer.finish(nil)
                                end.yield(true)
                            } catch {
                                end.yield(false)
                                throw error
                            }
                        })
                }
            ])
        router.answer(
            "/whole",
            [
                .get: { _, _ in
                    // At once, so that all of it is unsent when the connection is closed.
                    Response(
                        status: .ok,
                        body: ResponseBody(byteBuffer: ByteBuffer(repeating: 65, count: LargeBodies.length)))
                }
            ])
        router.answer(
            "/upload",
            [
                .post: { request, _ in
                    Response(plain: "\(try await request.body.collect(upTo: 1 << 20).readableBytes)\n")
                }
            ])
        server = WebServer(host: "127.0.0.1", port: 0, limits: limits, router: router, log: WebServerTests.log)
    }
}

@Suite("The guard of a connection", .timeLimit(.minutes(2)))
struct ConnectionGuardTests {
    @Test("a reader that begins late gets all that was written before the connection was closed")
    func unsent() async throws {
        let large = LargeBodies()
        try await large.server.during { port in
            let connection = try RawConnection(port: port, receiveBuffer: 16 << 10)
            defer { connection.close() }
            try connection.send("GET /whole HTTP/1.1\r\nHost: farm\r\nConnection: close\r\n\r\n")
            let text = await connection.read()
            let head = try #require(text.firstRange(of: Array("\r\n\r\n".utf8)))
            #expect(text.count - head.upperBound == LargeBodies.length)
        }
    }

    @Test("a reader that takes nothing is disconnected")
    func stalled() async throws {
        let large = LargeBodies { $0.stall = .milliseconds(200) }
        try await large.server.during { port in
            let connection = try RawConnection(port: port, receiveBuffer: 16 << 10)
            defer { connection.close() }
            try connection.send("GET /large HTTP/1.1\r\nHost: farm\r\n\r\n")
            // The server could not write it all; without a limit this would never end.
            #expect(await large.ends.first { _ in true } == false)
            #expect(await connection.read().count < LargeBodies.length)
        }
    }

    @Test("a request whose body does not come is told so, and disconnected")
    func dribbled() async throws {
        let large = LargeBodies { $0.body = .milliseconds(200) }
        try await large.server.during { port in
            let connection = try RawConnection(port: port)
            defer { connection.close() }
            try connection.send("POST /upload HTTP/1.1\r\nHost: farm\r\nContent-Length: 10\r\n\r\n123")
            let answer = String(decoding: await connection.read(), as: UTF8.self)
            #expect(
                answer.hasPrefix("HTTP/1.1 408 Request Timeout\r\n") && answer.contains("urn:farm:problem:too-slow"))
            #expect(answer.split(separator: "HTTP/1.1 ").count == 1, "\(answer)")
        }
    }

    @Test("a client that asks whether to go on is told so before it sends its body")
    func continues() async throws {
        let large = LargeBodies()
        try await large.server.during { port in
            let connection = try RawConnection(port: port)
            defer { connection.close() }
            try connection.send(
                "POST /upload HTTP/1.1\r\nHost: farm\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
            )
            let interim = await connection.read { $0.suffix(4) == [13, 10, 13, 10] }
            #expect(String(decoding: interim, as: UTF8.self).hasPrefix("HTTP/1.1 100 Continue\r\n"))
            try connection.send("12345")
            let answer = String(decoding: await connection.read(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\n5\n"))
        }
    }
}
