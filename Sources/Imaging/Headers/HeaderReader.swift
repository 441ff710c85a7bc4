import Pictures
import Pipeline

/// Reads numbers and marks at checked offsets of a picture, in pieces of a few kilobytes.
struct HeaderReader {
    enum Order { case big, little }

    /// The size of the whole picture in bytes.
    let count: Int

    private static let windowSize = 4096
    private let fetch: (_ offset: Int, _ count: Int) throws(PictureFault) -> [UInt8]
    private var window: [UInt8] = []
    private var windowStart = 0

    /// - Parameter fetch: returns the bytes at an offset within `count`; fewer at the end.
    init(count: Int, fetch: @escaping (_ offset: Int, _ count: Int) throws(PictureFault) -> [UInt8]) {
        self.count = count
        self.fetch = fetch
    }

    /// Reads from memory.
    init(_ bytes: [UInt8]) {
        self.init(count: bytes.count) { offset, count in Array(bytes[offset..<offset + count]) }
        window = bytes
    }

    /// The bytes from `offset`. Throws if the picture ends before `length` bytes; `length` is at most one window.
    mutating func bytes(at offset: Int, _ length: Int) throws(PictureFault) -> ArraySlice<UInt8> {
        guard offset >= 0, offset <= count, length <= count - offset else { throw .endsInHeader(count) }
        if offset < windowStart || offset + length > windowStart + window.count {
            window = try fetch(offset, min(max(length, Self.windowSize), count - offset))
            windowStart = offset
            guard window.count >= length else { throw .endsInHeader(offset + window.count) }
        }
        let start = offset - windowStart
        return window[start..<start + length]
    }

    /// An unsigned number of up to eight bytes. A number above 2⁴⁸, which is beyond any picture, is returned as 2⁴⁸, so
    /// that sums of such numbers cannot overflow.
    mutating func number(at offset: Int, bytes length: Int, _ order: Order = .big) throws(PictureFault) -> Int {
        let bytes = try bytes(at: offset, length)
        var value: UInt64 = 0
        switch order {
        case .big: for byte in bytes { value = value << 8 | UInt64(byte) }
        case .little: for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        }
        return Int(min(value, 1 << 48))
    }

    /// Whether the ASCII characters of `mark` are at `offset`. False beyond the end.
    mutating func has(_ mark: String, at offset: Int) throws(PictureFault) -> Bool {
        guard offset >= 0, offset <= count, mark.utf8.count <= count - offset else { return false }
        return try bytes(at: offset, mark.utf8.count).elementsEqual(mark.utf8)
    }
}

extension PictureFault {
    static func endsInHeader(_ offset: Int) -> PictureFault {
        PictureFault(.image, "truncated: ends within its header, at byte \(offset)")
    }

    static func damagedHeader(_ what: String) -> PictureFault {
        PictureFault(.image, "damaged header: \(what)")
    }
}
