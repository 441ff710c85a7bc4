import Foundation
import Glibc

/// A client of one connection that may behave badly: it sends what it is told and reads when it is told.
struct RawConnection: Sendable {
    struct Fault: Error { var what: String }

    private let descriptor: Int32

    /// - Parameter receiveBuffer: small enough that the server soon cannot send any more.
    init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Fault(what: "socket: \(errno)") }
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Fault(what: "connect: \(errno)") }
    }

    func close() { _ = Glibc.close(descriptor) }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Fault(what: "send: \(errno)")
        }
    }

    /// Reads until the server closes, or until `isEnough`.
    func read(until isEnough: @escaping @Sendable ([UInt8]) -> Bool = { _ in false }) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            // A thread of its own: it may wait for long.
            Thread.detachNewThread {
                var all: [UInt8] = []
                var part = [UInt8](repeating: 0, count: 1 << 16)
                while !isEnough(all) {
                    let count = recv(descriptor, &part, part.count, 0)
                    guard count > 0 else { break }
                    all += part[..<count]
                }
                continuation.resume(returning: all)
            }
        }
    }

    /// Sends a request and reads its answer, after which the server closes.
    static func ask(_ port: Int, _ head: String) async throws -> String {
        let connection = try RawConnection(port: port)
        defer { connection.close() }
        try connection.send(head + "\r\nHost: farm\r\nConnection: close\r\n\r\n")
        return String(decoding: await connection.read(), as: UTF8.self)
    }
}
