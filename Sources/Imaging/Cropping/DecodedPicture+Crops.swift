import Pipeline

extension DecodedPicture {
    /// Encodes areas of the upright picture. An upright one's are encoded where they are; of another only the area is
    /// copied and turned, not the picture.
    func crops(of areas: [PixelArea?], quality: Int) throws(PictureFault) -> [[UInt8]?] {
        var crops: [[UInt8]?] = []
        for area in areas {
            crops.append(try area.map { area throws(PictureFault) in try encode(area, quality: quality) })
        }
        return crops
    }

    func encode(_ area: PixelArea, quality: Int) throws(PictureFault) -> [UInt8] {
        if orientation == .upright {
            return try JPEGEncoder.encode(
                stored.pixel(x: area.x, y: area.y), width: area.width, height: area.height,
                bytesPerRow: stored.bytesPerRow, quality: quality)
        }
        let turned = PixelBuffer(width: area.width, height: area.height)
        copy(area, to: turned.bytes)
        return try JPEGEncoder.encode(
            turned.bytes, width: turned.width, height: turned.height, bytesPerRow: turned.bytesPerRow, quality: quality)
    }
}
