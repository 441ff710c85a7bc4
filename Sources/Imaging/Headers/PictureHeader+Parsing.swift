import Model
import Pictures
import Pipeline

extension PictureHeader {
    /// Reads the header of a picture in any of the formats, and checks it against the limits. The format is checked
    /// first: a long film must not be reported as a picture that is too large.
    /// - Parameter path: the path, if it is a file. Its extension identifies some camera raw files.
    init(_ reader: inout HeaderReader, path: String? = nil) throws(PictureFault) {
        let known = try PictureFormat(&reader)
        if let raw = try CameraRaw.kind(&reader, known, path: path) {
            throw PictureFault(
                .image, "camera raw (\(raw)), which farm does not read: export it as JPEG", isOfNoImage: true,
                cameraRaw: raw)
        }
        guard let format = known else {
            // What was fetched may be a page of the inside of a network: not even an error row tells how it begins.
            guard path != nil else {
                throw PictureFault(.image, "not an image", outline: PictureFault.notFetched, isOfNoImage: true)
            }
            throw PictureFault(
                .image, "not an image: starts with \(try reader.beginning())", outline: "not an image",
                isOfNoImage: true)
        }
        guard reader.count <= PictureLimits.bytes else { throw .tooLarge(bytes: reader.count) }
        let jpeg = format == .jpeg ? try reader.jpegHeader() : nil
        let (width, height) =
            switch format {
            case .jpeg: jpeg?.size ?? (0, 0)
            case .png: try reader.pngSize()
            case .webp: try reader.webPSize()
            case .gif: try reader.gifSize()
            case .tiff: try reader.tiffSize()
            case .bmp: try reader.bmpSize()
            case .heif, .avif: try reader.heifSize()
            }
        try PictureLimits.check(width: width, height: height)
        // A mark that cannot be read counts as none. Other faults of the picture are found elsewhere.
        let isDrawn = (try? reader.isDrawnByFarm(format, jpeg)) ?? false
        self.init(format: format, width: width, height: height, bytes: reader.count, isDrawnByFarm: isDrawn)
    }
}

extension HeaderReader {
    /// The first bytes for people: as text if they are text, otherwise in hexadecimal.
    fileprivate mutating func beginning() throws(PictureFault) -> String {
        let first = try bytes(at: 0, min(12, count))
        if first.allSatisfy({ (0x20..<0x7F).contains($0) }) {
            return "\"\(String(decoding: first, as: UTF8.self))\""
        }
        return first.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count < 2 ? "0" + digits : digits
        }.joined(separator: " ")
    }
}
