extension [UInt8] {
    /// As text that does nothing to a terminal; bytes that are no UTF-8 stand there as `\xff`.
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
    /// How many bytes there are before the first that is no UTF-8.
    fileprivate var validPrefix: Int {
        var decoder = UTF8()
        var iterator = makeIterator()
        var length = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { length += UTF8.width(scalar) }
        return length
    }
}
