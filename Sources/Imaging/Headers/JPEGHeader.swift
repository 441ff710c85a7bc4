import Pictures
import Pipeline

/// What the segments before a JPEG's first scan say.
struct JPEGHeader {
    var size: (width: Int, height: Int)
    /// The offset of the frame header.
    var frame: Int
    /// The number of components: three for a photo, one for a grey one, four for CMYK.
    var components: Int
    /// The offset of the first scan. nil if there is none.
    var scan: Int?
    /// Whether it has one scan: Huffman-coded (SOF0, SOF1), in one pass over the pixels of all components.
    var isOnePass = false
    /// The position of the first EXIF data, including "Exif\0\0".
    var exif: Range<Int>?
    /// The position of the packet of XMP data.
    var xmp: Range<Int>?
    /// The position of the colour profile, if it is in one segment, as nearly all are.
    var profile: Range<Int>?
}

extension HeaderReader {
    /// Walks through the segments (ITU-T T.81, B.1.1) up to the first scan. Once the frame header is known, damage
    /// after it is left to the decoder.
    mutating func jpegHeader() throws(PictureFault) -> JPEGHeader {
        var header = JPEGHeader(size: (0, 0), frame: 0, components: 0)
        do throws(PictureFault) {
            try walkJPEG(&header)
        } catch {
            guard header.frame > 0, error.absence == nil else { throw error }
        }
        guard header.frame > 0 else { throw .damagedHeader("a JPEG without a frame header") }
        return header
    }

    private mutating func walkJPEG(_ header: inout JPEGHeader) throws(PictureFault) {
        var isSequential = false
        var offset = 2
        for _ in 0..<65_536 {
            let (lead, marker) = (try number(at: offset, bytes: 1), try number(at: offset + 1, bytes: 1))
            switch (lead, marker) {
            case (0x00..<0xFF, _), (_, 0xFF):
                offset += 1
            case (_, 0x00), (_, 0x01), (_, 0xD0...0xD8):
                offset += 2
            case (_, 0xD9):
                return
            case (_, 0xDA):
                header.scan = offset
                let components = try number(at: offset + 4, bytes: 1)
                header.isOnePass = isSequential && components == header.components
                return
            case (_, 0xC0...0xCF) where header.frame == 0 && ![0xC4, 0xC8, 0xCC].contains(marker):
                header.size = (try number(at: offset + 7, bytes: 2), try number(at: offset + 5, bytes: 2))
                header.components = (try? number(at: offset + 9, bytes: 1)) ?? 0
                header.frame = offset
                isSequential = marker <= 0xC1
                offset = try endOfSegment(at: offset)
            default:
                let end = try endOfSegment(at: offset)
                try note(marker, offset + 4..<min(max(end, offset + 4), count), &header)
                offset = end
            }
        }
    }

    private mutating func note(
        _ marker: Int, _ content: Range<Int>, _ header: inout JPEGHeader
    ) throws(PictureFault) {
        let start = content.lowerBound
        if marker == 0xE1 {
            if header.exif == nil, try has("Exif\0\0", at: start) { header.exif = content }
            let packet = start + DrawnMark.segmentStart.utf8.count
            if header.xmp == nil, packet < content.upperBound, try has(DrawnMark.segmentStart, at: start) {
                header.xmp = packet..<content.upperBound
            }
        }
        let profile = start + ColourProfile.segmentStart.utf8.count
        if marker == 0xE2, profile < content.upperBound, try has(ColourProfile.segmentStart, at: start) {
            header.profile = profile..<content.upperBound
        }
    }

    private mutating func endOfSegment(at offset: Int) throws(PictureFault) -> Int {
        let length = try number(at: offset + 2, bytes: 2)
        guard length >= 2 else { throw .damagedHeader("a JPEG segment of length \(length)") }
        return offset + 2 + length
    }
}
