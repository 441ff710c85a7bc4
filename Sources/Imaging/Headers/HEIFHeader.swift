import Model
import Pictures
import Pipeline

/// HEIF, HEIC and AVIF: boxes of ISO/IEC 14496-12 with the items of ISO/IEC 23008-12.
extension HeaderReader {
    private static let avifBrands: Set<String> = ["avif", "avis"]
    private static let brands: Set<String> = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"]

    /// The format that the brands of the file type box name. Films have the same box with other brands.
    mutating func heifFormat() throws(PictureFault) -> PictureFormat? {
        guard try has("ftyp", at: 4) else { return nil }
        let end = min(try number(at: 0, bytes: 4), count, 512)
        var found: PictureFormat?
        for place in [8] + stride(from: 16, to: max(end - 3, 16), by: 4) where place + 4 <= end {
            let brand = String(decoding: try bytes(at: place, 4), as: UTF8.self)
            if Self.avifBrands.contains(brand) { return .avif }
            if Self.brands.contains(brand) { found = .heif }
        }
        return found
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

    /// A summary of the outermost boxes.
    struct HEIFBoxes {
        /// Where the last box that gives its length ends.
        var end = 0
        /// Whether one holds coded pictures.
        var hasData = false
        /// Whether something that is no box begins at `end`, since it has no readable type. Phones add data of their
        /// own.
        var hasTrailer = false
    }

    /// Walks through the outermost boxes. Pictures have a handful, and libheif takes memory for each.
    mutating func heifBoxes() throws(PictureFault) -> HEIFBoxes {
        var boxes = HEIFBoxes()
        for _ in 0..<1000 {
            guard boxes.end + 8 <= count else { return boxes }
            let type = try bytes(at: boxes.end + 4, 4)
            guard type.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0xA9 }) else {
                boxes.hasTrailer = boxes.hasData
                return boxes
            }
            if type.elementsEqual("mdat".utf8) { boxes.hasData = true }
            var length = try number(at: boxes.end, bytes: 4)
            if length == 1, boxes.end + 16 <= count { length = try number(at: boxes.end + 8, bytes: 8) }
            guard length >= 8 else { return boxes }
            boxes.end += length
        }
        throw .damagedHeader("a HEIF of over 1,000 boxes")
    }

    /// Whether an item, such as a gain map, belongs to several pictures, as in photos of iPhones since iOS 18. libheif
    /// before 1.18 takes that for an error.
    mutating func heifSharesItems() throws(PictureFault) -> Bool {
        guard let meta = try box("meta", in: 0..<count),
            let references = try box("iref", in: min(meta.lowerBound + 4, meta.upperBound)..<meta.upperBound)
        else { return false }
        // A full box: version and flags come first. Identifiers have two bytes, or four in version 1.
        let wide = try number(at: references.lowerBound, bytes: 1) == 0 ? 2 : 4
        let all = min(references.lowerBound + 4, references.upperBound)..<references.upperBound
        for type in ["auxl", "cdsc"] {
            var rest = all
            while let reference = try box(type, in: rest) {
                if try number(at: reference.lowerBound + wide, bytes: 2) > 1 { return true }
                rest = reference.upperBound..<all.upperBound
            }
        }
        return false
    }

    /// The contents of the first box of this type within a range.
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

extension [UInt8] {
    /// Removes what follows a HEIF's boxes and is no box.
    mutating func removeTrailer(of format: PictureFormat) throws(PictureFault) {
        guard format == .heif || format == .avif else { return }
        var reader = HeaderReader(self)
        let boxes = try reader.heifBoxes()
        if boxes.hasTrailer, boxes.end < count { removeLast(count - boxes.end) }
    }
}
