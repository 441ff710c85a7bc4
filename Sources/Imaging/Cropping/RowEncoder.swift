import CJPEG
import Pipeline

/// Encodes a JPEG (4:2:0) of rows that come one after another: the same bytes as ``JPEGCodec`` makes of the whole.
final class RowEncoder {
    private let encoder: OpaquePointer
    private let size: String

    /// - Parameter quality: 1…100.
    /// - Throws: `image` if there is no memory, as all of it.
    init(width: Int, height: Int, quality: Int) throws(PictureFault) {
        size = "\(width) × \(height) pixels"
        guard let encoder = cjpeg_encoder_new(Int32(width), Int32(height), Int32(min(max(quality, 1), 100))) else {
            throw PictureFault(.image, "\(size) do not become a JPEG: libjpeg has no memory")
        }
        self.encoder = encoder
    }

    deinit { cjpeg_encoder_free(encoder) }

    /// Takes the next row, three bytes a pixel.
    func take(_ row: UnsafePointer<UInt8>) throws(PictureFault) { try check(cjpeg_encoder_take(encoder, row)) }

    /// The JPEG, after the last row.
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
