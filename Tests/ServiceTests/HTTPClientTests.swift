import Doubles
import Foundation
import Pipeline
import Synchronization
import Testing

@testable import Services

@Suite("HTTP client")
struct HTTPClientTests {
    private func request(
        _ server: MisbehavingServer, _ path: String = "/", content: HTTPRequest.Content? = nil,
        timeout: Duration = .seconds(30), bodyLimit: Int = 16 << 20
    ) -> HTTPRequest {
        HTTPRequest(
            url: "http://127.0.0.1:\(server.port)\(path)", content: content, timeout: timeout, bodyLimit: bodyLimit)
    }

    private func fault(_ request: HTTPRequest) async -> HTTPFault? {
        do {
            _ = try await HTTPClient().perform(request)
            return nil
        } catch { return error }
    }

    @Test("A kept connection serves the next request")
    func keepAlive() async throws {
        let server = try MisbehavingServer()
        let client = HTTPClient()
        for _ in 1...5 { #expect(try await client.perform(request(server)).status == 200) }
        #expect(server.connections == 1)
        #expect(server.requests.count == 5)
    }

    @Test(
        "A kept connection that the server closes between requests fails neither a GET nor a POST",
        arguments: [Behaviour.answerAndClose([1]), .answerAndResetNext([1])])
    func closedBetween(behaviour: Behaviour) async throws {
        let server = try MisbehavingServer { _ in behaviour }
        let client = HTTPClient()
        let body = bytes(1 << 20)
        for number in 1...20 {
            let content = number % 2 == 0 ? HTTPRequest.Content.bytes(body, filename: "a.jpg") : nil
            let response = try await client.perform(request(server, content: content))
            #expect(response.status == 200)
        }
    }

    @Test("An answer that begins with a folded header touches nothing of the answer before: it is a fault each time")
    func folded() async throws {
        let folded = Array("HTTP/1.1 200 OK\r\n a: b\r\nContent-Length: 0\r\n\r\n".utf8)
        let server = try MisbehavingServer { $0.path == "/folded" ? .garbage(folded) : .answer(200, [1]) }
        let client = HTTPClient()
        for _ in 1...20 {
            #expect(try await client.perform(request(server)).status == 200)
            await #expect(throws: HTTPFault.self) { try await client.perform(request(server, "/folded")) }
        }
    }

    @Test("Two hundred requests at once are all answered, each with its own answer")
    func many() async throws {
        let server = try MisbehavingServer { .answer(200, Array($0.path.utf8)) }
        let client = HTTPClient()
        await withTaskGroup(of: Bool.self) { group in
            for number in 1...200 {
                group.addTask {
                    (try? await client.perform(self.request(server, "/\(number)")).body) == Array("/\(number)".utf8)
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) } }

    private func part(_ received: Received?) throws -> (head: String, body: [UInt8]) {
        let received = try #require(received)
        let boundary = try #require(received.headers["content-type"]?.components(separatedBy: "boundary=").last)
        #expect(received.headers["content-type"]?.hasPrefix("multipart/form-data") == true)
        let separator = Array("\r\n\r\n".utf8)
        let start = try #require(
            (0..<min(received.body.count, 1000)).first { received.body[$0...].starts(with: separator) })
        let tail = Array("\r\n--\(boundary)--\r\n".utf8)
        #expect(received.body.suffix(tail.count).elementsEqual(tail))
        return (
            String(decoding: received.body[..<start], as: UTF8.self),
            Array(received.body[(start + separator.count)..<(received.body.count - tail.count)])
        )
    }

    @Test("Bytes arrive whole as the field file, with name and media type, and do not wait for 100 Continue")
    func postedBytes() async throws {
        let server = try MisbehavingServer()
        let sent = [0xff, 0xd8, 0xff] + bytes(3 << 20)
        _ = try await HTTPClient().perform(request(server, content: .bytes(sent, filename: "person_1.jpg")))
        let received = try #require(server.requests.first)
        #expect(received.method == "POST")
        #expect(received.headers["expect"] == nil)
        let (head, body) = try part(received)
        #expect(head.contains(#"form-data; name="file"; filename="person_1.jpg""#))
        #expect(head.contains("Content-Type: image/jpeg"))
        #expect(body == sent)
    }

    @Test("A file arrives whole, whatever its name")
    func postedFile() async throws {
        let server = try MisbehavingServer()
        let sent = Array([0x89] + "PNG".utf8) + bytes(1_500_000)
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()) \"ü\".jpg").path
        try Data(sent).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try await HTTPClient().perform(request(server, content: .file(path: path)))
        let (head, body) = try part(server.requests.first)
        #expect(head.contains("Content-Type: image/png"))
        #expect(body == sent)
    }

    @Test(
        "A file that cannot be read is named, and nothing is sent",
        arguments: ["/nowhere/a.jpg", "/tmp", "/tmp/a\u{0}b"])
    func unreadable(path: String) async throws {
        let server = try MisbehavingServer()
        let fault = try #require(await fault(request(server, content: .file(path: path))))
        #expect(fault.kind == .unreadableFile)
        #expect(fault.cause.contains(path.prefix(4)))
        #expect(server.requests.isEmpty)
    }

    @Test("A file that shrinks while it is sent is unreadable, at once")
    func shrinkingFile() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).jpg").path
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        defer { unlink(path) }
        // More than the sockets' buffers hold.
        truncate(path, 60 << 20)
        let (listener, port) = try MisbehavingServer.bound(to: 0)
        listen(listener, 1)
        Thread.detachNewThread {
            let connection = accept(listener, nil, nil)
            truncate(path, 1000)
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while read(connection, &buffer, buffer.count) > 0 {}
            close(connection)
            close(listener)
        }
        let posted = HTTPRequest(
            url: "http://127.0.0.1:\(port)/", content: .file(path: path), timeout: .seconds(60), bodyLimit: 1000)
        let fault = try #require(await fault(posted))
        #expect(fault.kind == .unreadableFile)
        #expect(fault.cause == "\(path): the file shrinks while it is read")
    }

    @Test("What breaks off, is empty or is no HTTP is a broken connection")
    func broken() async throws {
        let behaviours: [Behaviour] = [
            .cutShort(promised: 100, Array("{".utf8)), .close, .reset(promised: 100, Array("{".utf8)),
            .garbage(Array("hello\r\n\r\n".utf8)), .garbage([0, 1, 2]),
        ]
        for behaviour in behaviours {
            let server = try MisbehavingServer { _ in behaviour }
            let fault = try #require(await fault(request(server)))
            #expect(fault.kind == .broken, "\(behaviour): \(fault)")
            #expect(fault.place == "127.0.0.1:\(server.port)")
            #expect(!fault.cause.isEmpty)
        }
    }

    @Test("An answer over the limit is not taken, announced or not")
    func tooLarge() async throws {
        let announced = try MisbehavingServer { _ in .answer(200, [UInt8](repeating: 32, count: 17 << 20)) }
        let silent = try MisbehavingServer { _ in
            .garbage(
                Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8) + [UInt8](repeating: 32, count: 17 << 20))
        }
        for server in [announced, silent] {
            let fault = try #require(await fault(request(server)))
            #expect(fault.kind == .tooLarge)
            #expect(fault.cause == "the answer is over 16 MiB")
        }
        let exact = try MisbehavingServer { _ in .answer(200, [UInt8](repeating: 32, count: 1 << 20)) }
        #expect(await fault(request(exact, bodyLimit: 1 << 20)) == nil)
    }

    @Test("A server that does not answer is a time-out; one that cannot be connected to is unreachable")
    func silence() async throws {
        let hanging = try MisbehavingServer { _ in .hang }
        let slow = try #require(await fault(request(hanging, timeout: .milliseconds(500))))
        #expect(slow.kind == .timeout)
        #expect(slow.description == "127.0.0.1:\(hanging.port): no answer within 0.5 s")
        let absent = try MisbehavingServer(listening: false)
        let refused = try #require(await fault(request(absent)))
        #expect(refused == HTTPFault(.unreachable, place: "127.0.0.1:\(absent.port)", cause: "connection refused"))
        let nameless = HTTPRequest(url: "http://no-such-host.invalid/", timeout: .seconds(30), bodyLimit: 1)
        #expect(await fault(nameless)?.kind == .unreachable)
        #expect(await fault(HTTPRequest(url: "http://a b/", timeout: .seconds(1), bodyLimit: 1))?.kind == .malformed)
    }

    @Test("A time-out on a kept connection is the answer's, not the connection's")
    func silenceOnKeptConnection() async throws {
        let server = try MisbehavingServer { $0.number == 1 ? .success : .hang }
        let client = HTTPClient()
        _ = try await client.perform(request(server))
        await #expect(throws: HTTPFault(.timeout, place: "127.0.0.1:\(server.port)", cause: "no answer within 0.5 s")) {
            try await client.perform(request(server, timeout: .milliseconds(500)))
        }
        #expect(server.connections == 1)
    }

    @Test("A port whose connections nobody accepts is unreachable")
    func backlog() async throws {
        let full = try FullBacklog()
        let fault = try #require(
            await fault(
                HTTPRequest(url: "http://127.0.0.1:\(full.port)/", timeout: .milliseconds(300), bodyLimit: 1)))
        #expect(fault.kind == .unreachable)
        #expect(fault.cause == "no connection within 0.3 s")
    }

    @Test("Retry-After comes as seconds or as a date")
    func retryAfter() async throws {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = formatter.string(from: Date().addingTimeInterval(100_000))
        for (text, expected) in [("7", 7...7), (date, 99_000...100_001)] as [(String, ClosedRange<Int>)] {
            let server = try MisbehavingServer { _ in .json("", status: 503, headers: ["Retry-After": text]) }
            let seconds = try #require(try await HTTPClient().perform(request(server)).retryAfter).seconds
            #expect(expected.contains(Int(seconds)))
        }
        for text in ["soon", "-1", "0", "Thu, 01 Jan 1970 00:00:01 GMT", "99999999999999999999999"] {
            let server = try MisbehavingServer { _ in .json("", status: 503, headers: ["Retry-After": text]) }
            #expect(try await HTTPClient().perform(request(server)).retryAfter == nil, "\(text)")
        }
    }

    @Test("A cancelled request ends while the server still hangs, and one cancelled before it is sent is not sent")
    func cancellation() async throws {
        let server = try MisbehavingServer { _ in .hang }
        let client = HTTPClient()
        let hanging = Task { () -> HTTPFault.Kind? in
            do throws(HTTPFault) { _ = try await client.perform(request(server)) } catch { return error.kind }
            return nil
        }
        await server.received { $0.count == 1 }
        hanging.cancel()
        #expect(await hanging.value == .cancelled)
        let early = Task { () -> HTTPFault.Kind? in
            while !Task.isCancelled { await Task.yield() }
            do throws(HTTPFault) { _ = try await client.perform(request(server)) } catch { return error.kind }
            return nil
        }
        early.cancel()
        #expect(await early.value == .cancelled)
        #expect(server.requests.count == 1)
    }

    @Test("A cancellation that the thread has seen before the request came is not lost")
    func earlyCancellation() async throws {
        let server = try MisbehavingServer { _ in .hang }
        let loop = try #require(TransferLoop())
        let thread = try #require(loop.start())
        let id = loop.nextID()
        loop.cancel(id)
        let absent = HTTPRequest(url: "http://127.0.0.1:1/", timeout: .seconds(30), bodyLimit: 1)
        // Its answer shows that the thread has emptied its inbox.
        _ = await withCheckedContinuation {
            loop.submit(PendingTransfer(id: loop.nextID(), request: absent, continuation: $0))
        }
        let request = request(server)
        let early = Task {
            while !Task.isCancelled { await Task.yield() }
            return await withCheckedContinuation {
                loop.submit(PendingTransfer(id: id, request: request, continuation: $0))
            }
        }
        early.cancel()
        let result = await early.value
        #expect(throws: HTTPFault(.cancelled, place: "127.0.0.1:\(server.port)", cause: "cancelled")) {
            try result.get()
        }
        loop.stop()
        pthread_join(thread, nil)
    }

    @Test("Shutting down ends what is in flight and refuses what comes later")
    func shutdown() async throws {
        let server = try MisbehavingServer { _ in .hang }
        let client = HTTPClient()
        let hanging = Task { try? await client.perform(request(server)).status }
        await server.received { $0.count == 1 }
        client.shutdown()
        #expect(await hanging.value == nil)
        await #expect(throws: HTTPFault.self) { try await client.perform(request(server)) }
        client.shutdown()
    }

    @Test("Health is the status, whatever the body")
    func health() async throws {
        let server = try MisbehavingServer {
            $0.path == "/health" ? .cutShort(promised: 9, []) : .json("", status: 404)
        }
        let client = HTTPClient()
        #expect(
            await client.health(of: ServiceEndpoint(name: "a", host: "127.0.0.1", port: server.port)) == .success(200))
        let other = ServiceEndpoint(name: "a", host: "localhost", port: server.port, health: "x")
        #expect(await client.health(of: other) == .success(404))
    }
}
