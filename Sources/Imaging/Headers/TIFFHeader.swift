import Pictures
import Pipeline

/// How a TIFF or BigTIFF file writes its numbers.
struct TIFFLayout {
    var order: HeaderReader.Order
    var isBig: Bool
}

extension HeaderReader {
    mutating func tiffLayout() throws(PictureFault) -> TIFFLayout? {
        if try begins([0x49, 0x49, 42, 0]) { return TIFFLayout(order: .little, isBig: false) }
        if try begins([0x4D, 0x4D, 0, 42]) { return TIFFLayout(order: .big, isBig: false) }
        if try begins([0x49, 0x49, 43, 0]) { return TIFFLayout(order: .little, isBig: true) }
        if try begins([0x4D, 0x4D, 0, 43]) { return TIFFLayout(order: .big, isBig: true) }
        return nil
    }

    /// ImageWidth and ImageLength of the first directory.
    mutating func tiffSize() throws(PictureFault) -> (width: Int, height: Int) {
        guard let layout = try tiffLayout() else { throw .damagedHeader("a TIFF without its mark") }
        let entries = try tiffEntries(layout)
        guard let width = entries[256], let height = entries[257] else {
            throw .damagedHeader("a TIFF without ImageWidth and ImageLength")
        }
        return (try tiffValue(0, of: width, layout), try tiffValue(0, of: height, layout))
    }

    /// Whether the first directory, what it points to, and the last strip or tile are within the file.
    mutating func tiffHasLastPart() throws(PictureFault) -> Bool {
        guard let layout = try tiffLayout() else { return false }
        let entries = try tiffEntries(layout)
        guard entries.values.allSatisfy({ $0.start <= count && $0.count <= (count - $0.start) / $0.bytes }) else {
            return false
        }
        // StripOffsets and StripByteCounts, TileOffsets and TileByteCounts.
        guard let offsets = entries[273] ?? entries[324], let lengths = entries[279] ?? entries[325],
            offsets.isInteger, lengths.isInteger
        else { return false }
        var last = (index: 0, offset: 0)
        for index in 0..<offsets.count {
            let offset = try tiffValue(index, of: offsets, layout)
            if offset >= last.offset { last = (index, offset) }
        }
        return last.offset + (try tiffValue(last.index, of: lengths, layout)) <= count
    }

    /// Which samples of a pixel belong to the picture. nil if there are no others. Samples that ExtraSamples does not
    /// call alpha (TIFF 6.0, page 31), such as near infrared, are left out.
    mutating func tiffSamples() throws(PictureFault) -> TIFFSamples? {
        guard let layout = try tiffLayout() else { return nil }
        let entries = try tiffEntries(layout)
        guard let photometric = entries[262], let samples = entries[277] else { return nil }
        let kind = try tiffValue(0, of: photometric, layout)
        guard let colours = [0: 1, 1: 1, 2: 3, 5: 4, 6: 3, 8: 3][kind] else { return nil }
        let others = try tiffValue(0, of: samples, layout) - colours
        guard others > 0 else { return nil }
        var alpha: Int?
        // libvips reads the alpha of CIE L*a*b* (8) as transparent where it is opaque.
        if kind != 8, let extra = entries[338], extra.isInteger {
            for index in 0..<min(extra.count, others, 64) where alpha == nil {
                if [1, 2].contains(try tiffValue(index, of: extra, layout)) { alpha = index }
            }
        }
        return TIFFSamples(colours: colours, alpha: alpha)
    }

    /// The size in bytes of a value of each type (TIFF 6.0, section 2, and BigTIFF's).
    private static let tiffBytes = [
        1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
    ]

    /// The entries of the first directory.
    private mutating func tiffEntries(_ layout: TIFFLayout) throws(PictureFault) -> [Int: TIFFEntry] {
        let first = try number(at: layout.isBig ? 8 : 4, bytes: layout.isBig ? 8 : 4, layout.order)
        return try tiffDirectory(at: first, layout).entries
    }

    /// The entries with values of known types, by their tags, and the offset of the next directory. 0 if there is none.
    mutating func tiffDirectory(
        at directory: Int, _ layout: TIFFLayout
    ) throws(PictureFault) -> (entries: [Int: TIFFEntry], next: Int) {
        let wide = layout.isBig ? 8 : 4
        let countBytes = layout.isBig ? 8 : 2
        let entries = try number(at: directory, bytes: countBytes, layout.order)
        var found: [Int: TIFFEntry] = [:]
        for index in 0..<min(entries, 65_535) {
            let place = directory + countBytes + index * (4 + 2 * wide)
            let type = try number(at: place + 2, bytes: 2, layout.order)
            let values = try number(at: place + 4, bytes: wide, layout.order)
            guard let bytes = Self.tiffBytes[type] else { continue }
            // The values are in the entry or, if there are too many, elsewhere.
            let field = place + 4 + wide
            let start = values > wide / bytes ? try number(at: field, bytes: wide, layout.order) : field
            let tag = try number(at: place, bytes: 2, layout.order)
            found[tag] = TIFFEntry(type: type, bytes: bytes, count: values, start: start)
        }
        // Some writers end the file without it.
        let end = directory + countBytes + entries * (4 + 2 * wide)
        let next = end + wide <= count ? try number(at: end, bytes: wide, layout.order) : 0
        return (found, next)
    }

    /// A value of an entry that holds offsets of directories.
    mutating func tiffOffset(_ index: Int, of entry: TIFFEntry, _ layout: TIFFLayout) throws(PictureFault) -> Int {
        try number(at: entry.start + index * entry.bytes, bytes: entry.bytes, layout.order)
    }

    /// A value of an entry that holds integers.
    mutating func tiffValue(
        _ index: Int, of entry: TIFFEntry, _ layout: TIFFLayout
    ) throws(PictureFault) -> Int {
        guard entry.isInteger else {
            throw .damagedHeader("a TIFF with numbers of type \(entry.type)")
        }
        return try number(at: entry.start + index * entry.bytes, bytes: entry.bytes, layout.order)
    }
}

/// Which samples of a pixel belong to the picture.
struct TIFFSamples: Equatable {
    /// How many of the first samples are colours.
    var colours: Int
    /// Which of the samples after the colours, counted from 0, is alpha.
    var alpha: Int?
}

/// An entry of a directory.
struct TIFFEntry {
    var type: Int
    /// The size of each value.
    var bytes: Int
    /// The number of values.
    var count: Int
    /// The offset of the first value.
    var start: Int
    /// Whether the type is SHORT, LONG or LONG8.
    var isInteger: Bool { [3, 4, 16].contains(type) }
    /// Whether the type is LONG, IFD, LONG8 or IFD8.
    var isOffset: Bool { [4, 13, 16, 18].contains(type) }
}
