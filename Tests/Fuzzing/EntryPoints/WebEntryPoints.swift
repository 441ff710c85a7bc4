import Model
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Pipeline

@testable import Web

/// What browsers and others send to `farm web`.
extension EntryPoint {
    /// What a connection gets: requests, one after another, through the parser and the guard of `WebServer`.
    static let webRequest = EntryPoint(name: "web_request", longest: 4096) { input in
        let whole = try requests(in: [input])
        for request in whole {
            try promise(request.fields <= 100, "\(request.fields) header fields")
            try promise(!request.path.contains("\0"), "a NUL in \(request.path)")
        }
        // However it is cut, it means the same: so no proxy and no client makes two requests of one.
        let half = input.count / 2
        try promise(
            whole == requests(in: [Array(input[..<half]), Array(input[half...])]), "cut in two it means another")
    }

    /// A query or a form.
    static let fields = EntryPoint(name: "fields", longest: 2048) { input in
        let text = String(decoding: input, as: UTF8.self)
        guard let fields = try? Fields(text) else { return }
        try promise(fields.pairs.count <= 100, "\(fields.pairs.count) fields")
        let encoded = fields.pairs.map { "\($0.name.queryEncoded)=\($0.value.queryEncoded)" }.joined(separator: "&")
        // A field without a name and a value is written as "=".
        try promise((try? Fields(encoded)) == fields, "\(text) becomes \(encoded)")
        try promise(!fields.pairs.contains { $0.value.contains("\0") }, "a NUL in \(text)")
    }

    /// The query of a route of the API.
    static let parameters = EntryPoint(name: "parameters", longest: 2048) { input in
        let known: Set = ["group", "state", "limit", "wait", "services", "cursor"]
        guard let fields = try? Fields(String(decoding: input, as: UTF8.self)),
            let parameters = try? QueryParameters(fields, known: known)
        else { return }
        for name in known {
            if let text = try? parameters.text(name) {
                try promise(text.unicodeScalars.count <= 200, "\(name): \(text)")
            }
            if let list = try? parameters.list(name) { try promise(!list.contains(""), "\(name): \(list)") }
            if let number = try? parameters.integer(name, in: 1...200) {
                try promise((1...200).contains(number), "\(name): \(number)")
            }
            _ = try? parameters.moment(name)
        }
    }

    /// The JSON body of a route of the API.
    static let requestObject = EntryPoint(name: "request_object", longest: 4096) { input in
        let known: Set = ["url", "path", "services", "group", "image_ids", "wait", "until", "all"]
        guard let object = try? RequestObject(input, known: known) else { return }
        for name in known {
            if let text = try? object.text(name) {
                try promise(text.unicodeScalars.count <= 200 && !text.contains("\0"), "\(name): \(text)")
            }
            if let ids = try? object.ids(name) { try promise(ids.allSatisfy { $0 > 0 }, "\(name): \(ids)") }
            if let number = try? object.integer(name, in: 1...200) {
                try promise((1...200).contains(number), "\(name): \(number)")
            }
            _ = try? object.texts(name)
            _ = try? object.flag(name)
            _ = try? object.moment(name)
        }
    }

    /// The body of an upload, its boundary `X`.
    static let multipart = EntryPoint(name: "multipart", longest: 4096) { input in
        let whole = parts(in: [input])
        try promise(whole?.count(where: \.isHead) ?? 0 <= 20, "more than 20 parts")
        let pieces = parts(in: input.map { [$0] })
        try promise(whole == nil || pieces == nil || whole == pieces, "byte by byte it is another body")
    }

    /// A `Cookie` header.
    static let cookie = EntryPoint(name: "cookie", longest: 1024) { input in
        let cookies = SessionCookie.all(headers: [String(decoding: input, as: UTF8.self)])
        try promise(cookies.count <= 8, "\(cookies.count) cookies")
        for cookie in cookies {
            try promise(!cookie.isSigned(by: "a token that nobody has", now: 1_800_000_000), "forged: \(cookie.value)")
            try promise(cookie.issued >= 0, "\(cookie.issued)")
        }
    }

    /// A `Host` or an `Origin` header.
    static let host = EntryPoint(name: "host", longest: 512) { input in
        let text = String(decoding: input, as: UTF8.self)
        let rule = HostRule(listen: "farm.example", others: [])
        if rule.allows(text) {
            try promise(text.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 0x20 }, "allows \(text)")
            try promise(!text.lowercased().contains("evil"), "allows \(text)")
        }
        if rule.isOwn(origin: text, authority: "farm.example:8090") {
            try promise(text.lowercased().hasSuffix("://farm.example:8090"), "\(text) is our own")
        }
    }

    /// A place in a list of images, in an address.
    static let imageCursor = EntryPoint(name: "image_cursor", inputs: 200_000, longest: 64) { input in
        let text = String(decoding: input, as: UTF8.self)
        if let cursor = ImageCursor(text) { try promise(cursor.text == text, "\(text) becomes \(cursor.text)") }
    }

    // MARK: Reading as the server does

    private struct SeenRequest: Equatable {
        var method: String
        var path: String
        var fields: Int
        var body: [UInt8] = []
        var isComplete = false
    }

    /// The requests that come out of a connection's handlers, up to the first that cannot be read.
    private static func requests(in pieces: [[UInt8]]) throws -> [SeenRequest] {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        // As Hummingbird's HTTP1Channel does it.
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = WebServer.headerField
        limits.maxHeaderListSize = WebServer.headerList
        limits.maxHeaderFieldCount = WebServer.headerCount
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        try channel.pipeline.syncOperations.addHandler(
            ConnectionGuard(stallLimit: .seconds(15), bodyLimit: .seconds(30), room: ConnectionRoom(limit: 8)))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        for piece in pieces {
            do { try channel.writeInbound(ByteBuffer(bytes: piece)) } catch { break }
        }
        var seen: [SeenRequest] = []
        while let part = try channel.readInbound(as: HTTPRequestPart.self) {
            switch part {
            case .head(let head):
                seen.append(
                    SeenRequest(
                        method: head.method.rawValue, path: head.path ?? "", fields: head.headerFields.count))
            case .body(let bytes): seen[seen.count - 1].body += bytes.readableBytesView
            case .end: seen[seen.count - 1].isComplete = true
            }
        }
        return seen
    }

    private enum SeenPart: Equatable {
        case head(name: String, filename: String?)
        case bytes([UInt8])

        var isHead: Bool { if case .head = self { true } else { false } }
    }

    /// nil for a body that cannot be read.
    private static func parts(in pieces: [[UInt8]]) -> [SeenPart]? {
        var reader = MultipartReader(boundary: "X")
        var seen: [SeenPart] = []
        for piece in pieces {
            guard let events = try? reader.read(piece) else { return nil }
            for event in events {
                switch event {
                case .part(let name, let filename): seen.append(.head(name: name, filename: filename))
                case .bytes(let bytes):
                    if case .bytes(let before) = seen.last {
                        seen[seen.count - 1] = .bytes(before + bytes)
                    } else {
                        seen.append(.bytes(bytes))
                    }
                }
            }
        }
        return seen
    }
}
