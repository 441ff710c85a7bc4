import Pictures
import Pipeline

/// Formats whose dimensions are at fixed offsets.
extension HeaderReader {
    mutating func pngSize() throws(PictureFault) -> (width: Int, height: Int) {
        guard try has("IHDR", at: 12) else { throw .damagedHeader("a PNG that does not begin with IHDR") }
        return (try number(at: 16, bytes: 4), try number(at: 20, bytes: 4))
    }

    /// The size of the logical screen, on which all frames are.
    mutating func gifSize() throws(PictureFault) -> (width: Int, height: Int) {
        (try number(at: 6, bytes: 2, .little), try number(at: 8, bytes: 2, .little))
    }

    /// Many texts begin with "BM" too, so the information header must have a known length and one plane.
    mutating func isBMP() throws(PictureFault) -> Bool {
        guard try has("BM", at: 0), count >= 30 else { return false }
        let length = try number(at: 14, bytes: 4, .little)
        guard [12, 16, 40, 52, 56, 64, 108, 124].contains(length) else { return false }
        return try number(at: length == 12 ? 22 : 26, bytes: 2, .little) == 1
    }

    mutating func bmpSize() throws(PictureFault) -> (width: Int, height: Int) {
        if try number(at: 14, bytes: 4, .little) == 12 {
            return (try number(at: 18, bytes: 2, .little), try number(at: 20, bytes: 2, .little))
        }
        let width = Int32(truncatingIfNeeded: try number(at: 18, bytes: 4, .little))
        let height = Int32(truncatingIfNeeded: try number(at: 22, bytes: 4, .little))
        // A negative height means rows from top to bottom.
        return (Int(width), Int(height.magnitude))
    }

    /// The size in the lossy, the lossless and the extended layout (RFC 9649).
    mutating func webPSize() throws(PictureFault) -> (width: Int, height: Int) {
        if try has("VP8X", at: 12) {
            return (1 + (try number(at: 24, bytes: 3, .little)), 1 + (try number(at: 27, bytes: 3, .little)))
        }
        if try has("VP8L", at: 12) {
            guard try number(at: 20, bytes: 1) == 0x2F else { throw .damagedHeader("a WebP without VP8L signature") }
            let bits = try number(at: 21, bytes: 4, .little)
            return (1 + bits & 0x3FFF, 1 + bits >> 14 & 0x3FFF)
        }
        guard try has("VP8 ", at: 12), try number(at: 23, bytes: 3) == 0x9D012A else {
            throw .damagedHeader("a WebP without VP8, VP8L or VP8X")
        }
        let width = try number(at: 26, bytes: 2, .little)
        let height = try number(at: 28, bytes: 2, .little)
        return (width & 0x3FFF, height & 0x3FFF)
    }
}
