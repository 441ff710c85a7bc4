import Pipeline

/// What the segments before a JPEG's first scan say.
struct JPEGHeader {
    var size: (width: Int, height: Int)
    /// Where the frame header is.
    var frame: Int
    /// Huffman-coded in one pass over the pixels, or over each component (SOF0, SOF1).
    var isSequential: Bool
    /// Where the EXIF data are, "Exif\0\0" included.
    var exif: Range<Int>?
    /// Where the packet of XMP data is.
    var xmp: Range<Int>?
}

extension HeaderReader {
    /// Walks the segments (ITU-T T.81, B.1.1) up to the frame header.
    mutating func jpegHeader() throws(PictureFault) -> JPEGHeader {
        var exif: Range<Int>?
        var xmp: Range<Int>?
        var offset = 2
        for _ in 0..<65_536 {
            let (lead, marker) = (try number(at: offset, bytes: 1), try number(at: offset + 1, bytes: 1))
            switch (lead, marker) {
            case (0x00..<0xFF, _), (_, 0xFF):
                offset += 1
            case (_, 0x00), (_, 0x01), (_, 0xD0...0xD8):
                offset += 2
            case (_, 0xD9), (_, 0xDA):
                throw .damagedHeader("a JPEG without a frame header")
            case (_, 0xC4), (_, 0xC8), (_, 0xCC):
                offset = try endOfSegment(at: offset)
            case (_, 0xC0...0xCF):
                let height = try number(at: offset + 5, bytes: 2)
                let width = try number(at: offset + 7, bytes: 2)
                return JPEGHeader(
                    size: (width, height), frame: offset, isSequential: marker <= 0xC1, exif: exif, xmp: xmp)
            default:
                let end = try endOfSegment(at: offset)
                if exif == nil, marker == 0xE1, try has("Exif\0\0", at: offset + 4) {
                    exif = offset + 4..<min(max(end, offset + 4), count)
                }
                let packet = offset + 4 + DrawnMark.segmentStart.utf8.count
                if xmp == nil, marker == 0xE1, packet < end, try has(DrawnMark.segmentStart, at: offset + 4) {
                    xmp = packet..<end
                }
                offset = end
            }
        }
        throw .damagedHeader("a JPEG without a frame header")
    }

    private mutating func endOfSegment(at offset: Int) throws(PictureFault) -> Int {
        let length = try number(at: offset + 2, bytes: 2)
        guard length >= 2 else { throw .damagedHeader("a JPEG segment of length \(length)") }
        return offset + 2 + length
    }
}
