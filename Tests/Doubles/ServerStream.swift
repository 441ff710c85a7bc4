import Foundation

/// A connection of the misbehaving server: HTTP/1.1 read and answers written, by blocking calls on its own thread.
struct ServerStream {
    struct Request {
        var method: String
        var target: String
        var headers: [String: String]
        var body: [UInt8]
    }

    private let socket: Int32
    private var unread: [UInt8] = []

    init(_ socket: Int32) { self.socket = socket }

    mutating func readRequest() -> Request? {
        let end = Array("\r\n\r\n".utf8)
        var headLength = position(of: end)
        while headLength == nil {
            guard fill() else { return nil }
            headLength = position(of: end)
        }
        guard let headLength else { return nil }
        let lines = String(decoding: unread[..<headLength], as: UTF8.self).components(separatedBy: "\r\n")
        unread.removeFirst(headLength + end.count)
        let words = lines[0].split(separator: " ")
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while unread.count < length {
            guard fill() else { return nil }
        }
        defer { unread.removeFirst(length) }
        return Request(
            method: String(words[0]), target: String(words[1]), headers: headers, body: Array(unread.prefix(length)))
    }

    private func position(of end: [UInt8]) -> Int? {
        guard unread.count >= end.count else { return nil }
        return (0...unread.count - end.count).first { unread[$0..<$0 + end.count].elementsEqual(end) }
    }

    private mutating func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        unread += buffer[..<count]
        return true
    }

    /// - Returns: whether the connection is kept.
    func perform(_ behaviour: Behaviour) -> Bool {
        switch behaviour {
        case .answer(let status, let body, let headers):
            return send(head(status, length: body.count, headers) + body)
        case .answerAndClose(let body):
            _ = send(head(200, length: body.count, [:]) + body)
            return false
        case .answerAndResetNext(let body):
            _ = send(head(200, length: body.count, [:]) + body)
            var byte: UInt8 = 0
            // What is closed with bytes unread is reset.
            _ = recv(socket, &byte, 1, Int32(MSG_PEEK))
            return false
        case .cutShort(let promised, let body):
            _ = send(head(200, length: promised, [:]) + body)
            return false
        case .close: return false
        case .reset(let promised, let body):
            _ = send(head(200, length: promised, [:]) + body)
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
            return false
        case .hang:
            var byte: UInt8 = 0
            while recv(socket, &byte, 1, 0) > 0 {}
            return false
        case .garbage(let bytes):
            _ = send(bytes)
            return false
        }
    }

    private func head(_ status: Int, length: Int, _ headers: [String: String]) -> [UInt8] {
        let more = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        return Array("HTTP/1.1 \(status) Status\r\nContent-Length: \(length)\r\n\(more)\r\n".utf8)
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
