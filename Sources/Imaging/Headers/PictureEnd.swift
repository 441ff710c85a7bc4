import Model
import Pictures
import Pipeline

/// Tells whether a picture is complete, as far as that is possible without decoding it.
extension HeaderReader {
    /// Far more blocks than encoders write. Beyond this, decoding is faster.
    private static let mostBlocks = 300_000

    /// False if the picture may be truncated: its end marker is missing, or the lengths of its parts lead beyond its
    /// last byte. Encoders make mistakes here, so only decoding can tell.
    mutating func seemsWhole(_ format: PictureFormat) throws(PictureFault) -> Bool {
        switch format {
        case .jpeg: try jpegHasEnd()
        case .png: try pngHasEnd()
        case .webp: 8 + (try number(at: 4, bytes: 4, .little)) <= count
        case .gif: try gifHasFirstFrame()
        case .tiff: try tiffHasLastPart()
        case .bmp: try bmpHasLastRow()
        case .heif, .avif: try heifHasLastBox()
        }
    }

    /// Coded pixels contain no end-of-image marker (ITU-T T.81, B.1.1.2), but bytes may follow it: cameras add previews
    /// and films. The marker of a thumbnail comes before the first scan.
    mutating func jpegHasEnd() throws(PictureFault) -> Bool {
        if try bytes(at: count - 2, 2).elementsEqual([0xFF, 0xD9]) { return true }
        let header = try jpegHeader()
        let start = header.scan ?? header.frame
        var end = count
        while end - start >= 2 {
            let place = max(start, end - (64 << 10))
            let piece = try bytes(at: place, end - place)
            if zip(piece, piece.dropFirst()).contains(where: { $0 == 0xFF && $1 == 0xD9 }) { return true }
            // A marker may be split between two pieces.
            end = place > start ? place + 1 : start
        }
        return false
    }

    /// Looks for the chunk IEND (RFC 2083, 4.1.4).
    private mutating func pngHasEnd() throws(PictureFault) -> Bool {
        if try has("IEND", at: count - 8) { return true }
        var offset = 8
        for _ in 0..<Self.mostBlocks {
            guard offset + 12 <= count else { break }
            if try has("IEND", at: offset + 4) { return true }
            offset += 12 + (try number(at: offset, bytes: 4))
        }
        return false
    }

    /// Services and crops see only the first frame.
    private mutating func gifHasFirstFrame() throws(PictureFault) -> Bool {
        var offset = 13 + gifTableBytes(try number(at: 10, bytes: 1))
        for _ in 0..<Self.mostBlocks {
            guard offset + 10 < count else { break }
            switch try number(at: offset, bytes: 1) {
            case 0x21:
                guard let end = try endOfGIFBlocks(at: offset + 2) else { return false }
                offset = end
            case 0x2C:
                let table = gifTableBytes(try number(at: offset + 9, bytes: 1))
                return try endOfGIFBlocks(at: offset + 11 + table) != nil
            default:
                return false
            }
        }
        return false
    }

    /// The offset after a sequence of sub-blocks and the empty one that ends it.
    private mutating func endOfGIFBlocks(at start: Int) throws(PictureFault) -> Int? {
        var offset = start
        for _ in 0..<Self.mostBlocks {
            guard offset < count else { break }
            let length = try number(at: offset, bytes: 1)
            offset += 1 + length
            if length == 0 { return offset }
        }
        return nil
    }

    private func gifTableBytes(_ flags: Int) -> Int { flags & 0x80 == 0 ? 0 : 3 << ((flags & 7) + 1) }

    private mutating func bmpHasLastRow() throws(PictureFault) -> Bool {
        let start = try number(at: 10, bytes: 4, .little)
        let (width, height) = try bmpSize()
        let isOld = try number(at: 14, bytes: 4, .little) == 12
        let bits = try number(at: isOld ? 24 : 28, bytes: 2, .little)
        let compression = isOld ? 0 : try number(at: 30, bytes: 4, .little)
        // 3 and 6 are masks of the channels' bits.
        guard [0, 3, 6].contains(compression) else {
            let bytes = try number(at: 34, bytes: 4, .little)
            return bytes > 0 && start + bytes <= count
        }
        return start + (width * bits + 31) / 32 * 4 * height <= count
    }

    /// Whether there are boxes up to the end, or up to something that is no box; whether one of them holds the coded
    /// pictures; and whether none has an open length.
    private mutating func heifHasLastBox() throws(PictureFault) -> Bool {
        let boxes = try heifBoxes()
        return boxes.hasData && (boxes.end == count || boxes.hasTrailer)
    }
}
