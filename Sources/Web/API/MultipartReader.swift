/// Reads a body of multipart/form-data (RFC 7578, RFC 2046) as it comes in, and keeps no more of it than a boundary is long.
struct MultipartReader: Sendable {
    /// What was read.
    enum Event: Sendable, Equatable {
        /// A part begins.
        case part(name: String, filename: String?)
        /// The next bytes of the part.
        case bytes([UInt8])
    }

    /// Why a body cannot be read.
    struct Fault: Error, Equatable {
        var text: String
    }

    private enum State { case preamble, delimiter, headers, body, end }

    private static let longestHead = 4 << 10
    private static let mostParts = 20

    private let delimiter: [UInt8]
    /// The first delimiter may stand at the very beginning, without a line before it.
    private var buffer: [UInt8] = Array("\r\n".utf8)
    private var state = State.preamble
    private var parts = 0

    /// The last delimiter was read.
    var isComplete: Bool { state == .end }

    init(boundary: String) { delimiter = Array("\r\n--\(boundary)".utf8) }

    /// The boundary that a Content-Type names; nil for any other type.
    static func boundary(_ contentType: String?) -> String? {
        guard let contentType else { return nil }
        let (type, parameters) = split(contentType)
        guard type.lowercased() == "multipart/form-data", let boundary = parameters["boundary"],
            (1...70).contains(boundary.utf8.count), boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        return boundary
    }

    /// - Throws: `Fault`.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(Fault) -> [Event] {
        guard state != .end else { return [] }
        buffer += bytes
        var events: [Event] = []
        while try step(&events) {}
        return events
    }

    /// - Returns: whether there may be more to do with what has come in.
    private mutating func step(_ events: inout [Event]) throws(Fault) -> Bool {
        switch state {
        case .end: return false
        case .preamble, .body:
            let (content, isWhole) = takeContent()
            if state == .body, !content.isEmpty { events.append(.bytes(content)) }
            if isWhole { state = .delimiter }
            return isWhole
        case .delimiter:
            guard buffer.count >= 2 else { return false }
            if buffer.starts(with: "--".utf8) {
                state = .end
                return false
            }
            guard let end = place(of: Array("\r\n".utf8)) else {
                guard buffer.count < 200 else { throw Fault(text: "a boundary that does not end its line") }
                return false
            }
            guard buffer[..<end.lowerBound].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
                throw Fault(text: "a boundary that does not end its line")
            }
            parts += 1
            guard parts <= MultipartReader.mostParts else { throw Fault(text: "too many parts") }
            // The line's end stays: it begins the empty line of a part without a head.
            buffer.removeFirst(end.lowerBound)
            state = .headers
            return true
        case .headers:
            guard let end = place(of: Array("\r\n\r\n".utf8)) else {
                guard buffer.count < MultipartReader.longestHead else {
                    throw Fault(text: "a part's head that is too long")
                }
                return false
            }
            events.append(try MultipartReader.part(buffer[..<end.lowerBound]))
            // A delimiter may follow at once: an empty part.
            buffer.removeFirst(end.upperBound - 2)
            state = .body
            isAtStart = true
            return true
        }
    }

    /// The body of a part begins after these two bytes, which may belong to its delimiter.
    private var isAtStart = false

    /// The bytes before the next delimiter, or as many as cannot belong to one.
    private mutating func takeContent() -> (content: [UInt8], isWhole: Bool) {
        let found = place(of: delimiter)
        let end = found?.lowerBound ?? max(0, buffer.count - delimiter.count + 1)
        var start = 0
        if isAtStart {
            guard end >= 2 || found != nil else { return ([], false) }
            start = min(2, end)
            isAtStart = false
        }
        let content = start < end ? Array(buffer[start..<end]) : []
        buffer.removeFirst(found?.upperBound ?? end)
        return (content, found != nil)
    }

    /// Where a pattern is in the buffer.
    private func place(of pattern: [UInt8]) -> Range<Int>? {
        buffer.withUnsafeBufferPointer { bytes in
            var start = 0
            while let next = bytes[start...].firstIndex(of: pattern[0]) {
                guard next + pattern.count <= bytes.count else { return nil }
                if bytes[next..<(next + pattern.count)].elementsEqual(pattern) { return next..<(next + pattern.count) }
                start = next + 1
            }
            return nil
        }
    }

    private static func part(_ head: ArraySlice<UInt8>) throws(Fault) -> Event {
        guard let text = String(validating: head, as: UTF8.self), !text.utf8.contains(0) else {
            throw Fault(text: "a part's head that is no UTF-8")
        }
        for line in text.split(separator: "\r\n") {
            let field = line.split(separator: ":", maxSplits: 1)
            guard field.count == 2, field[0].lowercased() == "content-disposition" else { continue }
            let (type, parameters) = split(String(field[1]))
            guard type.lowercased() == "form-data", let name = parameters["name"] else { break }
            return .part(name: name, filename: parameters["filename"])
        }
        throw Fault(text: "a part without a name")
    }

    /// A value and its parameters: `form-data; name="a"; filename="b.jpg"`.
    private static func split(_ text: String) -> (value: String, parameters: [String: String]) {
        var pieces: [String] = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text.unicodeScalars {
            if character == ";", !isQuoted {
                pieces.append("")
                continue
            }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = isQuoted && character == "\\" && !isEscaped
            pieces[pieces.count - 1].unicodeScalars.append(character)
        }
        var parameters: [String: String] = [:]
        for piece in pieces.dropFirst() {
            let pair = piece.split(separator: "=", maxSplits: 1).map(trimmed)
            guard pair.count == 2, parameters[pair[0].lowercased()] == nil else { continue }
            parameters[pair[0].lowercased()] = unquoted(pair[1])
        }
        return (trimmed(pieces[0][...]), parameters)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    private static func unquoted(_ text: String) -> String {
        guard text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
        return String(text.dropFirst().dropLast()).replacing("\\\"", with: "\"").replacing("%22", with: "\"")
    }
}
