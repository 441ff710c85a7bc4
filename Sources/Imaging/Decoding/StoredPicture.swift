import Model
import Pictures
import Pipeline

/// A picture as it is stored: its bytes, and what its header says. Bytes that are no image, or that exceed the limits
/// by their header, are refused.
struct StoredPicture {
    private let bytes: [UInt8]
    private let header: PictureHeader
    /// The orientation by a JPEG's EXIF data. For other formats, libvips knows it.
    private let orientation: Orientation
    /// The colour profile of a JPEG. For other formats, libvips knows it.
    private let profile: ColourProfile?
    /// Whether the end marker was added and is not the file's own.
    private let endIsAdded: Bool
    /// Set for a TIFF in which not all samples belong to the picture.
    private let samples: TIFFSamples?

    /// - Parameter root: the folder that a file must be in.
    init(_ source: PictureSource, root: String? = nil) throws(PictureFault) {
        var bytes = try source.load(root: root)
        var reader = HeaderReader(bytes)
        header = try PictureHeader(&reader, path: source.path)
        samples = header.format == .tiff ? try reader.tiffSamples() : nil
        try bytes.removeTrailer(of: header.format)
        let jpeg = header.format == .jpeg ? try reader.jpegHeader() : nil
        // If the pixels of a JPEG with one scan are all there, it is whole, whatever follows them. With an end marker
        // added, missing pixels show. With several scans they would not: the picture would only be less fine.
        endIsAdded = jpeg?.isOnePass == true && !bytes.suffix(2).elementsEqual([0xFF, 0xD9])
        if endIsAdded { bytes += [0xFF, 0xD9] }
        if let jpeg {
            try bytes.withUnsafeBufferPointer { buffer throws(PictureFault) in try JPEGScans.check(buffer, jpeg) }
        }
        orientation =
            jpeg?.exif.map { range in
                bytes.withUnsafeBufferPointer {
                    Orientation(exifData: UnsafeBufferPointer(rebasing: $0[range]))
                }
            } ?? .upright
        profile = jpeg?.components == 3 ? jpeg?.profile.flatMap { ColourProfile(bytes[$0]) } : nil
        self.bytes = bytes
    }

    /// All pixels. A JPEG is decoded by libjpeg, everything else by libvips.
    /// - Parameter fit: the upright picture may be smaller, but not smaller than this, if that takes less time.
    func decode(forFit fit: ScaledFit? = nil) throws(PictureFault) -> DecodedPicture {
        try bytes.withUnsafeBufferPointer { buffer throws(PictureFault) in
            guard header.format == .jpeg else {
                return try Vips(for: header.format.name).decode(buffer, as: header.format, samples: samples)
            }
            let upright = orientation.upright(width: header.width, height: header.height)
            let pixels = try JPEGDecoding.pixels(
                of: buffer, width: header.width, height: header.height, endIsAdded: endIsAdded,
                eighths: fit?.eighths(of: upright) ?? 8)
            return DecodedPicture(stored: pixels, orientation: orientation, profile: profile)
        }
    }

    /// The parts of the upright picture that the boxes show, as JPEG. For a JPEG, less is held in memory than the whole
    /// picture.
    func crops(of boxes: [Box], quality: Int) throws(PictureFault) -> Crops {
        if let crops = try cropsByRows(boxes, quality) { return crops }
        let decoded = try decode()
        let areas = boxes.map { PixelArea($0, in: (decoded.width, decoded.height)) }
        return Crops((decoded.width, decoded.height), areas, decoded.crops(of: areas, quality: quality))
    }

    /// Fails if a part of the picture is missing or damaged.
    func decodeToTheEnd() throws(PictureFault) { _ = try crops(of: [], quality: 90) }

    private func cropsByRows(_ boxes: [Box], _ quality: Int) throws(PictureFault) -> Crops? {
        guard header.format == .jpeg else { return nil }
        let upright = orientation.upright(width: header.width, height: header.height)
        let areas = boxes.map { PixelArea($0, in: upright) }
        // The whole picture is smaller than very many encoders, or than large areas that wait until they can be turned.
        let most = header.width * header.height * (orientation == .upright ? 8 : 1)
        let isLess = areas.count <= 64 && areas.reduce(0, { $0 + ($1?.pixels ?? 0) }) < most
        // Without memory for the whole picture, those boxes are cut for which there is memory.
        guard isLess || !PixelBuffer.hasRoom(width: header.width, height: header.height) else { return nil }
        let cutter = RowCutter(
            areas, width: header.width, height: header.height, orientation, quality: quality, profile: profile)
        try bytes.withUnsafeBufferPointer { buffer throws(PictureFault) in
            try JPEGDecoding.rows(
                of: buffer, width: header.width, height: header.height, endIsAdded: endIsAdded, cutter.take)
        }
        return Crops(upright, areas, cutter.crops)
    }
}

extension Crops {
    fileprivate init(_ picture: (width: Int, height: Int), _ areas: [PixelArea?], _ encoded: [EncodedArea]) {
        self.init(width: picture.width, height: picture.height, crops: [])
        for (place, (area, outcome)) in zip(areas, encoded).enumerated() {
            let crop = if let area, let jpeg = outcome.jpeg { Crop(jpeg: jpeg, area: area.box) } else { nil as Crop? }
            crops.append(crop)
            if case .failed(let fault) = outcome { faults[place] = fault }
        }
    }
}
