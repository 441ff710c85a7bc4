extension [UInt8] {
    /// The bytes as text that cannot control a terminal. Bytes that are not UTF-8 become `\xff`.
    public var printable: String {
        var text = ""
        var rest = self[...]
        while !rest.isEmpty {
            let length = rest.validPrefix
            text += String(decoding: rest.prefix(length), as: UTF8.self).escapingSteering()
            rest = rest.dropFirst(length)
            if let byte = rest.popFirst() { text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        }
        return text
    }
}

extension ArraySlice<UInt8> {
    /// The number of bytes before the first one that is not UTF-8.
    fileprivate var validPrefix: Int {
        var decoder = UTF8()
        var iterator = makeIterator()
        var length = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { length += UTF8.width(scalar) }
        return length
    }
}
