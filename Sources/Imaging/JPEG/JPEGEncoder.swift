import CJPEG
import Pictures
import Pipeline

/// Encodes a JPEG with libjpeg, from rows that come one after another.
final class JPEGEncoder {
    enum Subsampling {
        /// A quarter of the chroma (4:2:0), as is usual for photos.
        case quarter
        /// All chroma (4:4:4), for sharp lines and text.
        case none
    }

    private let encoder: OpaquePointer
    private let size: String

    /// - Parameters:
    ///   - quality: from 1 to 100. Other values are clamped.
    ///   - profile: what the numbers of the pixels mean.
    /// - Throws: `image` if there is no memory, or if a side has more pixels than a JPEG may have.
    init(
        width: Int, height: Int, quality: Int, subsampling: Subsampling = .quarter, profile: ColourProfile? = nil
    ) throws(PictureFault) {
        size = "\(width) × \(height) pixels"
        guard
            let encoder = cjpeg_encoder_new(
                Int32(width), Int32(height), Int32(min(max(quality, 1), 100)), subsampling == .none)
        else {
            throw PictureFault(.image, "\(size) cannot be encoded as JPEG: there is no memory, or they are too many")
        }
        self.encoder = encoder
        if let profile {
            let segment = Array(ColourProfile.segmentStart.utf8) + profile.bytes
            try check(cjpeg_encoder_mark(encoder, 2, segment, segment.count))
        }
    }

    deinit { cjpeg_encoder_free(encoder) }

    /// Writes a packet of XMP data, before the first row. It must fit into one segment.
    /// - Throws: `image`.
    func write(xmp packet: [UInt8]) throws(PictureFault) {
        let segment = Array(DrawnMark.segmentStart.utf8) + packet
        try check(cjpeg_encoder_mark(encoder, 1, segment, segment.count))
    }

    /// Takes the next row, three bytes for each pixel.
    /// - Throws: `image`.
    func take(_ row: UnsafePointer<UInt8>) throws(PictureFault) { try check(cjpeg_encoder_take(encoder, row)) }

    /// Returns the JPEG, after the last row.
    /// - Throws: `image`.
    func finish() throws(PictureFault) -> [UInt8] {
        var bytes: UnsafePointer<UInt8>?
        var length = 0
        try check(cjpeg_encoder_finish(encoder, &bytes, &length))
        return [UInt8](UnsafeBufferPointer(start: bytes, count: length))
    }

    private func check(_ message: UnsafePointer<CChar>?) throws(PictureFault) {
        guard let message else { return }
        throw PictureFault(.image, "\(size) do not become a JPEG: \(String(cString: message))")
    }
}

extension JPEGEncoder {
    /// Encodes pixels whose rows are `bytesPerRow` apart. Parameters and errors are those of the initialiser. `xmp` is
    /// a packet of XMP data.
    static func encode(
        _ pixels: UnsafePointer<UInt8>, width: Int, height: Int, bytesPerRow: Int, quality: Int,
        subsampling: Subsampling = .quarter, profile: ColourProfile? = nil, xmp: [UInt8]? = nil
    ) throws(PictureFault) -> [UInt8] {
        let encoder = try JPEGEncoder(
            width: width, height: height, quality: quality, subsampling: subsampling, profile: profile)
        if let xmp { try encoder.write(xmp: xmp) }
        for y in 0..<height { try encoder.take(pixels + y * bytesPerRow) }
        return try encoder.finish()
    }
}
