import CJPEG
import Pictures
import Pipeline

/// Decodes JPEG with libjpeg.
enum JPEGDecoding {
    /// Passes the rows of the stored picture to `take`, from top to bottom, three bytes for each pixel, and keeps none.
    /// - Parameters:
    ///   - width: from the header, as is `height`.
    ///   - endIsAdded: whether the end marker was added and is not the file's own.
    ///   - eighths: 1…8: how many eighths of each side are decoded, rounded up.
    /// - Throws: `image` if a part of the picture is missing or damaged, often after most of its rows.
    static func rows(
        of bytes: UnsafeBufferPointer<UInt8>, width: Int, height: Int, endIsAdded: Bool = false, eighths: Int = 8,
        _ take: (_ row: UnsafePointer<UInt8>, _ y: Int) -> Void
    ) throws(PictureFault) {
        typealias Take = (UnsafePointer<UInt8>, Int) -> Void
        var message = [CChar](repeating: 0, count: 256)
        let outcome = withoutActuallyEscaping(take) { take in
            var take: Take = take
            return withUnsafeMutablePointer(to: &take) { context in
                cjpeg_decode(
                    bytes.baseAddress, bytes.count, Int32(width), Int32(height), Int32(eighths), endIsAdded,
                    { context, row, y in
                        guard let context, let row else { return }
                        context.assumingMemoryBound(to: Take.self).pointee(row, Int(y))
                    }, context, &message)
            }
        }
        guard outcome != 0 else { return }
        let text = message.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
        throw PictureFault(.image, "truncated or damaged JPEG: \(text ?? "unknown reason")")
    }

    /// All pixels of the stored picture. Parameters and errors are those of ``rows(of:width:height:endIsAdded:eighths:_:)``.
    static func pixels(
        of bytes: UnsafeBufferPointer<UInt8>, width: Int, height: Int, endIsAdded: Bool = false, eighths: Int = 8
    ) throws(PictureFault) -> PixelBuffer {
        let pixels = try PixelBuffer(width: (width * eighths + 7) / 8, height: (height * eighths + 7) / 8)
        try rows(of: bytes, width: width, height: height, endIsAdded: endIsAdded, eighths: eighths) { row, y in
            pixels.pixel(x: 0, y: y).update(from: row, count: pixels.bytesPerRow)
        }
        return pixels
    }
}
