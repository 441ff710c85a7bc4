/// Text in PNG (PNG Specification, third edition, 11.3.3).
enum PNGText {
    /// The beginning of a chunk with a packet of XMP data: its type and keyword.
    static let packetStart = "iTXtXML:com.adobe.xmp\0"
    /// Not compressed, no language, no translated keyword.
    static let flags: [UInt8] = [0, 0, 0, 0]

    /// The offset after PNG's signature and IHDR.
    private static let firstChunk = 33

    /// The same picture with a packet of XMP data before the pixels.
    static func adding(xmp packet: [UInt8], to picture: [UInt8]) -> [UInt8] {
        let content = Array(packetStart.utf8) + flags + packet
        let chunk = bigEndian(UInt32(content.count - 4)) + content + bigEndian(checksum(content))
        return Array(picture.prefix(firstChunk)) + chunk + picture.dropFirst(firstChunk)
    }

    /// The CRC-32 of a chunk's type and content.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 0 ? sum >> 1 : 0xEDB8_8320 ^ sum >> 1 }
        }
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
