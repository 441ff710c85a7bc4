import Model
import Pipeline

/// A picture as it is stored: its bytes, and what its header says. What is not an image by its own bytes, or over the
/// limits by its header, does not become one.
struct StoredPicture {
    private let bytes: [UInt8]
    private let header: PictureHeader
    /// As a JPEG's EXIF has it; of other formats libvips knows.
    private let orientation: Orientation
    /// The end marker is not the file's own.
    private let endIsAdded: Bool

    /// - Parameter root: the folder that a file has to lie in.
    init(_ source: PictureSource, root: String? = nil) throws(PictureFault) {
        var bytes = try source.load(root: root)
        var reader = HeaderReader(bytes)
        header = try PictureHeader(&reader, path: source.path)
        let jpeg = header.format == .jpeg ? try reader.jpegHeader() : nil
        // A sequential JPEG that lacks its end marker and nothing else is whole: with one, missing pixels are told from it.
        // A progressive one would be, at many places, only less fine.
        endIsAdded = if let jpeg, jpeg.isSequential { try !reader.jpegHasEnd() } else { false }
        if endIsAdded { bytes += [0xFF, 0xD9] }
        if jpeg != nil {
            let (width, height) = (header.width, header.height)
            try bytes.withUnsafeBufferPointer { buffer throws(PictureFault) in
                try JPEGScans.check(buffer, width: width, height: height)
            }
        }
        orientation =
            jpeg?.exif.map { range in
                bytes.withUnsafeBufferPointer {
                    Orientation(exifData: UnsafeBufferPointer(rebasing: $0[range]))
                }
            } ?? .upright
        self.bytes = bytes
    }

    /// All pixels: of a JPEG by libjpeg, of everything else by libvips.
    func decode() throws(PictureFault) -> DecodedPicture {
        try bytes.withUnsafeBufferPointer { buffer throws(PictureFault) in
            guard header.format == .jpeg else {
                return try Vips(for: header.format.name).decode(buffer, as: header.format)
            }
            let pixels = try JPEGDecoding.pixels(
                of: buffer, width: header.width, height: header.height, endIsAdded: endIsAdded)
            return DecodedPicture(stored: pixels, orientation: orientation)
        }
    }

    /// The parts that boxes of the upright picture show, as JPEG. Of a JPEG less is held than the picture's pixels.
    func crops(of boxes: [Box], quality: Int) throws(PictureFault) -> Crops {
        if let crops = try cropsByRows(boxes, quality) { return crops }
        let decoded = try decode()
        let areas = boxes.map { PixelArea($0, in: (decoded.width, decoded.height)) }
        return Crops((decoded.width, decoded.height), areas, try decoded.crops(of: areas, quality: quality))
    }

    /// Fails if something of it is missing or damaged.
    func decodeToTheEnd() throws(PictureFault) { _ = try crops(of: [], quality: 90) }

    private func cropsByRows(_ boxes: [Box], _ quality: Int) throws(PictureFault) -> Crops? {
        guard header.format == .jpeg else { return nil }
        let upright = orientation.upright(width: header.width, height: header.height)
        let areas = boxes.map { PixelArea($0, in: upright) }
        // The whole picture is less than very many encoders, or than large areas that wait until they can be turned.
        let most = header.width * header.height * (orientation == .upright ? 8 : 1)
        guard areas.count <= 64, areas.reduce(0, { $0 + ($1?.pixels ?? 0) }) < most else { return nil }
        let cutter = RowCutter(
            areas, width: header.width, height: header.height, orientation, quality: quality)
        try bytes.withUnsafeBufferPointer { buffer throws(PictureFault) in
            try JPEGDecoding.rows(
                of: buffer, width: header.width, height: header.height, endIsAdded: endIsAdded, cutter.take)
        }
        return Crops(upright, areas, try cutter.crops())
    }
}

extension Crops {
    fileprivate init(_ picture: (width: Int, height: Int), _ areas: [PixelArea?], _ encoded: [[UInt8]?]) {
        let crops = zip(areas, encoded).map { area, jpeg in
            if let area, let jpeg { Crop(jpeg: jpeg, area: area.box) } else { nil as Crop? }
        }
        self.init(width: picture.width, height: picture.height, crops: crops)
    }
}
