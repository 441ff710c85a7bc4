import Model
import Pictures
import Pipeline

extension PictureSource {
    /// The size of the upright picture, from the header. For a JPEG, its EXIF data say how to turn it. GIF and BMP have
    /// no orientation. For other formats, libvips knows.
    /// - Parameter root: the folder that a file must be in.
    func uprightSize(root: String? = nil) throws(PictureFault) -> (width: Int, height: Int) {
        var reader = try headerReader(root: root)
        let header = try PictureHeader(&reader, path: path)
        switch header.format {
        case .jpeg:
            guard let exif = try reader.jpegHeader().exif else { return (header.width, header.height) }
            let bytes = Array(try reader.bytes(at: exif.lowerBound, exif.count))
            return bytes.withUnsafeBufferPointer { Orientation(exifData: $0) }
                .upright(width: header.width, height: header.height)
        case .gif, .bmp: return (header.width, header.height)
        case .png, .webp, .tiff, .heif, .avif:
            var bytes = try load(root: root)
            try bytes.removeTrailer(of: header.format)
            return try Vips(for: header.format.name).uprightSize(bytes, as: header.format)
        }
    }
}
