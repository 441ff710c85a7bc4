import Model

/// Finds the line where a text that simdjson refuses stops being JSON (RFC 8259). simdjson does not say, and
/// Foundation's parser accepts trailing commas.
struct JSONFaultFinder {
    private struct Stop: Error {}

    private let bytes: [UInt8]
    private var position = 0

    /// The line, counted from 1. nil if this reader finds nothing wrong.
    static func line(in text: String) -> Int? {
        var finder = JSONFaultFinder(bytes: Array(text.utf8))
        do {
            try finder.value(depth: 0)
            finder.skipBlanks()
            if finder.position == finder.bytes.count { return nil }
        } catch {}
        return 1 + finder.bytes.prefix(finder.position).count { $0 == UInt8(ascii: "\n") }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func value(depth: Int) throws(Stop) {
        skipBlanks()
        guard let first = current, depth < JSON.maximumDepth else { throw Stop() }
        switch first {
        case UInt8(ascii: "{"):
            try members("}") { (finder) throws(Stop) in
                try finder.string()
                finder.skipBlanks()
                try finder.take(":")
                try finder.value(depth: depth + 1)
            }
        case UInt8(ascii: "["): try members("]") { (finder) throws(Stop) in try finder.value(depth: depth + 1) }
        case UInt8(ascii: "\""): try string()
        default: try scalar()
        }
    }

    private mutating func members(
        _ end: Unicode.Scalar, _ member: (inout JSONFaultFinder) throws(Stop) -> Void
    ) throws(Stop) {
        position += 1
        skipBlanks()
        if current == UInt8(ascii: end) {
            position += 1
            return
        }
        while true {
            skipBlanks()
            try member(&self)
            skipBlanks()
            if current == UInt8(ascii: ",") {
                position += 1
            } else {
                return try take(end)
            }
        }
    }

    private mutating func string() throws(Stop) {
        try take("\"")
        while let byte = current, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw Stop() }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        try take("\"")
    }

    /// A number or a literal.
    private mutating func scalar() throws(Stop) {
        let start = position
        while let byte = current, byte.isNamePart || byte == UInt8(ascii: "+") { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        guard !["true", "false", "null"].contains(word) else { return }
        if word.wholeMatch(of: #/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/#) == nil {
            position = start
            throw Stop()
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar) throws(Stop) {
        guard current == UInt8(ascii: scalar) else { throw Stop() }
        position += 1
    }
}
