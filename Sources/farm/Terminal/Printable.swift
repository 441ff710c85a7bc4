extension String {
    /// One line that does nothing to a terminal: what is not to be seen stands there as `\n`, `\u{1b}`. Messages, labels and
    /// bodies come from outside.
    var printable: String {
        guard unicodeScalars.contains(where: \.isHidden) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.isHidden: text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    /// The same, at most so many characters.
    func printable(upTo limit: Int) -> String {
        // Cut before, so that a long text is not made longer first.
        let text = String(prefix(limit + 1)).printable
        return text.count > limit ? text.prefix(limit - 1) + "…" : text
    }
}

extension Unicode.Scalar {
    /// Control characters, line and paragraph separators, and what turns the direction of writing around.
    fileprivate var isHidden: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}

extension [UInt8] {
    /// As text that does nothing to a terminal; bytes that are no UTF-8 stand there as `\xff`.
    var printable: String {
        var text = ""
        var rest = self[...]
        while !rest.isEmpty {
            let length = rest.validPrefix
            text += String(decoding: rest.prefix(length), as: UTF8.self).printable
            rest = rest.dropFirst(length)
            if let byte = rest.popFirst() { text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        }
        return text
    }
}

extension ArraySlice<UInt8> {
    /// How many bytes there are before the first that is no UTF-8.
    fileprivate var validPrefix: Int {
        var decoder = UTF8()
        var iterator = makeIterator()
        var length = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { length += UTF8.width(scalar) }
        return length
    }
}
