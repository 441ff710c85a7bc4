import Pipeline

extension PictureSource {
    /// Decodes the picture: JPEG by libturbojpeg, everything else, and what it does not know of
    /// JPEG, by libvips. What is not an
    /// image by its own bytes, or over the limits by its header, reaches neither.
    /// - Parameter root: the folder that a file has to lie in.
    func decode(root: String? = nil) throws(PictureFault) -> DecodedPicture {
        var bytes = try load(root: root)
        var reader = HeaderReader(bytes)
        let header = try PictureHeader(&reader)
        let jpeg = header.format == .jpeg ? try reader.jpegHeader() : nil
        // A sequential JPEG that lacks its end marker and nothing else is whole: with one, missing pixels are told from it.
        // A progressive one would be, at many places, only less fine.
        let lacksEnd = if let jpeg, jpeg.isSequential { try !reader.jpegHasEnd() } else { false }
        if lacksEnd { bytes += [0xFF, 0xD9] }
        return try bytes.withUnsafeBufferPointer { buffer throws(PictureFault) in
            guard header.format == .jpeg else {
                return try Vips(for: header.format.name).decode(buffer, as: header.format)
            }
            try JPEGScans.check(buffer, width: header.width, height: header.height)
            let orientation =
                jpeg?.exif.map { Orientation(exifData: UnsafeBufferPointer(rebasing: buffer[$0])) } ?? .upright
            if let pixels = try JPEGCodec.decode(buffer, endIsAdded: lacksEnd) {
                return DecodedPicture(stored: pixels, orientation: orientation)
            }
            var picture = try Vips(for: "JPEG of odd sampling").decode(buffer, as: .jpeg)
            picture.orientation = orientation
            return picture
        }
    }
}
