import Pictures
import Pipeline

/// The result for one area of a picture.
enum EncodedArea: Equatable {
    case jpeg([UInt8])
    /// There is none, since the box is outside.
    case outside
    /// This area alone failed, for example because no JPEG may have its size, or there is no memory for it.
    case failed(PictureFault)

    var jpeg: [UInt8]? {
        if case .jpeg(let jpeg) = self { jpeg } else { nil }
    }
}

extension DecodedPicture {
    /// Encodes areas of the upright picture, each by itself. If the picture is stored upright, they are encoded in
    /// place. Otherwise only the area is copied and turned, not the picture.
    func crops(of areas: [PixelArea?], quality: Int) -> [EncodedArea] {
        areas.map { area in
            guard let area else { return .outside }
            do throws(PictureFault) { return .jpeg(try encode(area, quality: quality)) } catch { return .failed(error) }
        }
    }

    func encode(_ area: PixelArea, quality: Int) throws(PictureFault) -> [UInt8] {
        if orientation == .upright {
            return try JPEGEncoder.encode(
                stored.pixel(x: area.x, y: area.y), width: area.width, height: area.height,
                bytesPerRow: stored.bytesPerRow, quality: quality, profile: profile)
        }
        let turned = try PixelBuffer(width: area.width, height: area.height)
        copy(area, to: turned.bytes)
        return try JPEGEncoder.encode(
            turned.bytes, width: turned.width, height: turned.height, bytesPerRow: turned.bytesPerRow, quality: quality,
            profile: profile)
    }
}
