import Foundation
import Services
import Synchronization

/// What a server sends: each input over a connection of its own, through libcurl.
extension EntryPoint {
    /// A whole answer: status line, headers, body.
    static let http = EntryPoint(name: "http", longest: 4096) { input in try ask(answering: input) }

    /// The value of Retry-After, of an answer that would be waited for.
    static let retryAfter = EntryPoint(name: "retry_after", longest: 256) { input in
        let head = Array("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: ".utf8)
        try ask(answering: head + input.filter { $0 != 10 && $0 != 13 } + Array("\r\n\r\n".utf8))
    }

    private static let client = HTTPClient()
    private static let server = Result { try EchoingServer() }

    private static func ask(answering input: [UInt8]) throws {
        let server = try server.get()
        server.answer(input)
        let request = HTTPRequest(
            url: "http://127.0.0.1:\(server.port)/", timeout: .seconds(5), bodyLimit: 2048)
        let waiting = DispatchSemaphore(value: 0)
        let result = Mutex<Result<HTTPResponse, HTTPFault>?>(nil)
        Task.detached {
            do throws(HTTPFault) {
                let response = try await client.perform(request)
                result.withLock { $0 = .success(response) }
            } catch {
                result.withLock { $0 = .failure(error) }
            }
            waiting.signal()
        }
        waiting.wait()
        switch result.withLock({ $0 }) {
        case .success(let response):
            try promise(response.body.count <= request.bodyLimit, "\(response.body.count) bytes")
            try promise(response.retryAfter.map { $0 > .zero } != false, "Retry-After in the past")
        case .failure(let fault):
            try promise(fault.kind != .timeout, "hangs")
            try promise(fault.description.isPlain, "a fault that steers the terminal: \(fault)")
        case nil: throw Broken(description: "no result")
        }
    }
}

/// A server on loopback that sends what it was told to, whatever it is asked, and closes.
private final class EchoingServer: Sendable {
    let port: Int
    private let next = Mutex<[UInt8]>([])

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound, listen(listener, 16) == 0 else { throw Broken(description: "no port to listen on") }
        port = Int(UInt16(bigEndian: address.sin_port))
        let thread = Thread { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                var request = [UInt8](repeating: 0, count: 4096)
                // A client that gave up has sent nothing.
                if recv(connection, &request, request.count, 0) > 0 {
                    let answer = next.withLock { $0 }
                    send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
                }
                close(connection)
            }
        }
        thread.start()
    }

    func answer(_ bytes: [UInt8]) { next.withLock { $0 = bytes } }
}
