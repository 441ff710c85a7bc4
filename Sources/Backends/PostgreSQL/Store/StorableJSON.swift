import Model

/// JSON text that JSONB accepts. JSONB refuses the escapes of NUL and of lone surrogates. Losing the whole answer for
/// one character would be worse, so each becomes `\ufffd`, the replacement character.
enum StorableJSON {
    /// The text with these escapes replaced. The same bytes if there are none.
    static func mended(_ bytes: [UInt8]) -> [UInt8] {
        var places: [Int] = []
        bytes.withUnsafeBufferPointer { bytes in
            var index = 0
            while index < bytes.count {
                guard bytes[index] == UInt8(ascii: "\\") else {
                    index += 1
                    continue
                }
                guard let unit = unit(bytes, index) else {
                    index += 2
                    continue
                }
                if (0xD800..<0xDC00).contains(unit), let low = Self.unit(bytes, index + 6),
                    (0xDC00..<0xE000).contains(low)
                {
                    index += 12
                    continue
                }
                if unit == 0 || (0xD800..<0xE000).contains(unit) { places.append(index) }
                index += 6
            }
        }
        guard !places.isEmpty else { return bytes }
        var bytes = bytes
        for place in places { bytes.replaceSubrange(place + 2..<place + 6, with: "fffd".utf8) }
        return bytes
    }

    static func mended(_ json: JSON) -> [UInt8] { mended(json.bytes) }

    /// The number of a `\uXXXX` that begins here.
    private static func unit(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        return Int(String(decoding: bytes[index + 2..<index + 6], as: UTF8.self), radix: 16)
    }
}
