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
        let wide = layout.isBig ? 8 : 4
        let directory = try number(at: layout.isBig ? 8 : 4, bytes: wide, layout.order)
        let countBytes = layout.isBig ? 8 : 2
        let entryBytes = 4 + 2 * wide
        let entries = try number(at: directory, bytes: countBytes, layout.order)
        var (width, height): (Int?, Int?)
        for index in 0..<min(entries, 65_535) {
            let entry = directory + countBytes + index * entryBytes
            switch try number(at: entry, bytes: 2, layout.order) {
            case 256: width = try tiffValue(at: entry, layout)
            case 257: height = try tiffValue(at: entry, layout)
            default: continue
            }
            if let width, let height { return (width, height) }
        }
        throw .damagedHeader("a TIFF without ImageWidth and ImageLength")
    }

    /// The value of an entry that holds one SHORT, LONG or LONG8.
    private mutating func tiffValue(at entry: Int, _ layout: TIFFLayout) throws(PictureFault) -> Int {
        let place = entry + (layout.isBig ? 12 : 8)
        switch try number(at: entry + 2, bytes: 2, layout.order) {
        case 3: return try number(at: place, bytes: 2, layout.order)
        case 4: return try number(at: place, bytes: 4, layout.order)
        case 16 where layout.isBig: return try number(at: place, bytes: 8, layout.order)
        case let type: throw .damagedHeader("a TIFF with dimensions of type \(type)")
        }
    }
}
