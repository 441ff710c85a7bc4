import CJPEG
import CTurboJPEG
import Pipeline

/// Decodes and encodes JPEG by libturbojpeg.
///
/// Each call has a handle of its own, which costs a fifth of a microsecond: one that met a damaged header
/// (`tjDecompressHeader3`, 2.1.5) takes sound pictures for damaged, too.
enum JPEGCodec {
    enum Subsampling {
        /// A quarter of the chroma (4:2:0), as is usual for photos.
        case quarter
        /// All of it (4:4:4), for sharp lines and text.
        case none
    }

    /// The pixels as they are stored; nil for a chroma sampling that libturbojpeg does not know.
    /// - Parameter endIsAdded: the end marker is not the file's own; what stands before it has to be the picture's.
    static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, endIsAdded: Bool = false
    ) throws(PictureFault) -> PixelBuffer? {
        guard let decoder = tjInitDecompress() else { throw .noMemory }
        defer { tjDestroy(decoder) }
        var (width, height, subsampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        let length = UInt(bytes.count)
        let unread = tjDecompressHeader3(
            decoder, bytes.baseAddress, length, &width, &height, &subsampling, &colours)
        if unread != 0 {
            let message = lastMessage(of: decoder)
            if message.contains("subsampling") { return nil }
            guard width > 0, height > 0 else { throw .damagedJPEG(message) }
            try throwUnlessHarmless(message)
        }
        try PictureLimits.check(width: Int(width), height: Int(height))

        let isCMYK = [TJCS_CMYK, TJCS_YCCK].contains { Int32($0.rawValue) == colours }
        let pixels = PixelBuffer(width: Int(width), height: Int(height), bytesPerPixel: isCMYK ? 4 : 3)
        let failed = tjDecompress2(
            decoder, bytes.baseAddress, length, pixels.bytes, width, 0, height,
            Int32((isCMYK ? TJPF_CMYK : TJPF_RGB).rawValue), TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
        if failed != 0 { try throwUnlessHarmless(lastMessage(of: decoder), endIsAdded: endIsAdded) }
        if isCMYK { becomeRGB(pixels) }
        return pixels
    }

    /// Gives the rows of pixels as they are stored to `cutter`, and keeps none.
    /// - Parameters:
    ///   - width: as the header has it, as is `height`.
    ///   - endIsAdded: as of ``decode(_:endIsAdded:)``.
    /// - Returns: false, without a row, for CMYK, and where libjpeg finds another size.
    static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, width: Int, height: Int, endIsAdded: Bool, to cutter: RowCutter
    ) throws(PictureFault) -> Bool {
        var message = [CChar](repeating: 0, count: 256)
        let outcome = withExtendedLifetime(cutter) {
            cjpeg_decode(
                bytes.baseAddress, bytes.count, Int32(width), Int32(height),
                { context, row, y in
                    guard let context, let row else { return }
                    Unmanaged<RowCutter>.fromOpaque(context).takeUnretainedValue().take(row, y: Int(y))
                }, Unmanaged.passUnretained(cutter).toOpaque(), &message)
        }
        if outcome == CJPEG_OTHER { return false }
        let text = String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        if outcome == CJPEG_FAILED || !text.isEmpty { try throwUnlessHarmless(text, endIsAdded: endIsAdded) }
        return true
    }

    /// Encodes pixels whose rows lie `bytesPerRow` apart.
    /// - Parameter quality: 1…100.
    static func encode(
        _ pixels: UnsafePointer<UInt8>, width: Int, height: Int, bytesPerRow: Int, quality: Int,
        subsampling: Subsampling = .quarter
    ) throws(PictureFault) -> [UInt8] {
        guard let encoder = tjInitCompress() else { throw .noMemory }
        defer { tjDestroy(encoder) }
        var encoded: UnsafeMutablePointer<UInt8>?
        var length: UInt = 0
        defer { tjFree(encoded) }
        let sampling = subsampling == .quarter ? TJSAMP_420 : TJSAMP_444
        let failed = tjCompress2(
            encoder, pixels, Int32(width), Int32(bytesPerRow), Int32(height), Int32(TJPF_RGB.rawValue), &encoded,
            &length, Int32(sampling.rawValue), Int32(min(max(quality, 1), 100)), TJFLAG_ACCURATEDCT)
        guard failed == 0, let encoded else {
            let message = lastMessage(of: encoder)
            throw PictureFault(.image, "\(width) × \(height) pixels do not become a JPEG: \(message)")
        }
        return [UInt8](UnsafeBufferPointer(start: encoded, count: Int(length)))
    }

    /// Turns CMYK into RGB in its place, as the services' usual decoders do: without a colour profile, and with the inks
    /// inverted, which is Adobe's convention.
    private static func becomeRGB(_ pixels: PixelBuffer) {
        var (source, place) = (pixels.bytes, pixels.bytes)
        for _ in 0..<pixels.width * pixels.height {
            let black = UInt32(source[3])
            place[0] = UInt8((UInt32(source[0]) * black + 127) / 255)
            place[1] = UInt8((UInt32(source[1]) * black + 127) / 255)
            place[2] = UInt8((UInt32(source[2]) * black + 127) / 255)
            source += 4
            place += PixelBuffer.bytesPerPixel
        }
    }

    /// Warnings that lose nothing of the picture, such as of bytes between segments, which many cameras write.
    private static let harmless = [
        "extraneous bytes before marker", "Unknown Adobe color transform", "unknown JFIF revision",
        "Invalid SOS parameters for sequential", "Inconsistent progression sequence",
    ]

    /// By the message alone, which is that of an error or else of the first warning: the error code of an error that comes
    /// after a warning is that of a warning (2.1.5).
    private static func throwUnlessHarmless(_ message: String, endIsAdded: Bool = false) throws(PictureFault) {
        guard harmless.contains(where: message.contains), !(endIsAdded && message.contains("before marker 0xd9")) else {
            throw .damagedJPEG(message)
        }
    }

    private static func lastMessage(of handle: tjhandle) -> String {
        tjGetErrorStr2(handle).map { String(cString: $0) } ?? "unknown reason"
    }
}

extension PictureFault {
    fileprivate static func damagedJPEG(_ message: String) -> PictureFault {
        PictureFault(.image, "truncated or damaged JPEG: \(message)")
    }

    fileprivate static let noMemory = PictureFault(.image, "libturbojpeg has no memory")
}
