import Pipeline

/// HEIF, HEIC and AVIF: boxes of ISO/IEC 14496-12 with the items of ISO/IEC 23008-12.
extension HeaderReader {
    private static let brands: Set<String> = [
        "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis",
    ]

    /// Whether the file type box names a brand of still pictures; films have the same box with others.
    mutating func isHEIF() throws(PictureFault) -> Bool {
        guard try has("ftyp", at: 4) else { return false }
        let end = min(try number(at: 0, bytes: 4), count, 512)
        for place in [8] + stride(from: 16, to: max(end - 3, 16), by: 4) where place + 4 <= end {
            if Self.brands.contains(String(decoding: try bytes(at: place, 4), as: UTF8.self)) { return true }
        }
        return false
    }

    /// The largest extent (ispe) of any item: a grid is larger than its tiles, a picture than its thumbnail.
    mutating func heifSize() throws(PictureFault) -> (width: Int, height: Int) {
        _ = try heifBoxes()
        guard let meta = try box("meta", in: 0..<count),
            let properties = try box("iprp", in: min(meta.lowerBound + 4, meta.upperBound)..<meta.upperBound),
            let container = try box("ipco", in: properties)
        else { throw .damagedHeader("a HEIF without item properties") }
        var largest = (width: 0, height: 0)
        var rest = container
        while let extent = try box("ispe", in: rest) {
            let width = try number(at: extent.lowerBound + 4, bytes: 4)
            let height = try number(at: extent.lowerBound + 8, bytes: 4)
            // Each factor is below 2³², so the products fit.
            if UInt64(width) * UInt64(height) > UInt64(largest.width) * UInt64(largest.height) {
                largest = (width, height)
            }
            rest = extent.upperBound..<container.upperBound
        }
        guard largest.width > 0 else { throw .damagedHeader("a HEIF without dimensions") }
        return largest
    }

    /// Walks the outermost boxes. Pictures have a handful; libheif takes memory for each.
    /// - Returns: where the last one that tells its length says it ends, and whether one holds coded pictures.
    mutating func heifBoxes() throws(PictureFault) -> (end: Int, hasData: Bool) {
        var (offset, hasData) = (0, false)
        for _ in 0..<1000 {
            guard offset + 8 <= count else { return (offset, hasData) }
            var length = try number(at: offset, bytes: 4)
            if try has("mdat", at: offset + 4) { hasData = true }
            if length == 1, offset + 16 <= count { length = try number(at: offset + 8, bytes: 8) }
            guard length >= 8 else { return (offset, hasData) }
            offset += length
        }
        throw .damagedHeader("a HEIF of over 1,000 boxes")
    }

    /// The contents of the first box of a type within a range.
    private mutating func box(_ type: String, in range: Range<Int>) throws(PictureFault) -> Range<Int>? {
        var offset = range.lowerBound
        for _ in 0..<65_536 where range.upperBound - offset >= 8 {
            var length = try number(at: offset, bytes: 4)
            var head = 8
            if length == 1 {
                length = try number(at: offset + 8, bytes: 8)
                head = 16
            } else if length == 0 {
                length = range.upperBound - offset
            }
            guard length >= head else { throw .damagedHeader("a HEIF box of length \(length)") }
            let end = min(offset + length, range.upperBound)
            if try has(type, at: offset + 4) { return min(offset + head, end)..<end }
            offset = end
        }
        return nil
    }
}
