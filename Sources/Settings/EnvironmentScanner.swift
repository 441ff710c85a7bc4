/// Reads the lines of a `.env` file one after another.
struct EnvironmentScanner {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var line = 1

    init(_ text: String) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count)
        var afterReturn = false
        for scalar in text.unicodeScalars {
            if !(afterReturn && scalar == "\n") { scalars.append(scalar == "\r" ? "\n" : scalar) }
            afterReturn = scalar == "\r"
        }
        self.scalars = scalars
    }

    /// Goes to the next character that is not blank. False at the end.
    mutating func skipWhitespaceAndNewlines() -> Bool {
        skip { $0.isBlank }
        return position < scalars.count
    }

    /// The binding that begins here. nil for a comment. Goes to the next line even if it throws.
    mutating func entry() throws(EnvironmentFile.Fault) -> EnvironmentFile.Entry? {
        let start = (position: position, line: line)
        do throws(EnvironmentFile.Fault) {
            return try binding()
        } catch {
            (position, line) = start
            skipRestOfLine()
            throw error
        }
    }

    private mutating func binding() throws(EnvironmentFile.Fault) -> EnvironmentFile.Entry? {
        let start = line
        guard current != "#" else {
            skipRestOfLine()
            return nil
        }
        skipExport()
        let name = key()
        guard isName(name) else { throw .init(line: start, reason: "not NAME=VALUE") }
        skip { $0.isBlankInLine }
        var value: String?
        if current == "=" {
            advance()
            value = try self.value()
        }
        skip { $0.isBlankInLine }
        if current == "#" { skipRestOfLine() }
        guard current == nil || current == "\n" else {
            throw .init(line: start, reason: value == nil ? "not NAME=VALUE" : "text after the closing quote")
        }
        guard value?.unicodeScalars.contains("\0") != true else { throw .init(line: start, reason: "a NUL character") }
        return .init(name: name, value: value, line: start)
    }

    private mutating func skipExport() {
        let word = "export".unicodeScalars
        guard scalars[position...].starts(with: word), position + word.count < scalars.count,
            scalars[position + word.count].isBlankInLine
        else { return }
        position += word.count
        skip { $0.isBlankInLine }
    }

    private mutating func key() -> String {
        guard current == "'" else { return take { $0 != "=" && $0 != "#" && !$0.isBlank } }
        advance()
        let name = take { $0 != "'" && $0 != "\n" }
        guard current == "'" else { return "" }
        advance()
        return name
    }

    /// Whether programs use such a name. python-dotenv accepts nearly anything, docker anything without blanks.
    private func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: ".") else { return false }
        return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) && text.utf8.allSatisfy(\.isNamePart)
    }

    private mutating func value() throws(EnvironmentFile.Fault) -> String {
        let blanks = take { $0.isBlankInLine }
        switch current {
        case "'": return try quoted("'") { $0 == "'" || $0 == "\\" ? $0 : nil }
        case "\"": return try quoted("\"") { Self.escapes[$0] }
        case "#" where !blanks.isEmpty: return ""
        default: return unquoted()
        }
    }

    private mutating func quoted(
        _ quote: Unicode.Scalar, unescape: (Unicode.Scalar) -> Unicode.Scalar?
    ) throws(EnvironmentFile.Fault) -> String {
        let start = line
        var value = String.UnicodeScalarView()
        advance()
        while let scalar = current, scalar != quote {
            advance()
            if scalar == "\\", let next = current, let meant = unescape(next) {
                value.append(meant)
                advance()
            } else {
                value.append(scalar)
            }
        }
        guard current == quote else { throw .init(line: start, reason: "a quote that is not closed") }
        advance()
        return String(value)
    }

    private mutating func unquoted() -> String {
        var value = String.UnicodeScalarView()
        var blanks = String.UnicodeScalarView()
        while let scalar = current, scalar != "\n", !(scalar == "#" && !blanks.isEmpty) {
            if scalar.isBlank {
                blanks.append(scalar)
            } else {
                value.append(contentsOf: blanks)
                blanks.removeAll()
                value.append(scalar)
            }
            advance()
        }
        return String(value)
    }

    /// The characters that a backslash makes of the next character, in double quotes.
    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t",
        "v": "\u{B}",
    ]
}

extension EnvironmentScanner {
    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func advance() {
        if current == "\n" { line += 1 }
        position += 1
    }

    private mutating func skip(while condition: (Unicode.Scalar) -> Bool) {
        while let scalar = current, condition(scalar) { advance() }
    }

    private mutating func take(while condition: (Unicode.Scalar) -> Bool) -> String {
        let start = position
        skip(while: condition)
        return String(String.UnicodeScalarView(scalars[start..<position]))
    }

    private mutating func skipRestOfLine() { skip { $0 != "\n" } }
}

extension Unicode.Scalar {
    /// White space as in Python's `\s`.
    fileprivate var isBlank: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
    fileprivate var isBlankInLine: Bool { isBlank && self != "\n" }
}

extension UInt8 {
    /// An ASCII letter or digit, `_`, `-` or `.`: the characters in names of variables, services and queues.
    var isNamePart: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
