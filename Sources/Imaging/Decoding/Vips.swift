import CVips
import Model
import Pictures
import Pipeline

/// libvips, opened by name at first use. Linking it would add 50 ms to every start of the program.
struct Vips {
    private static let library = "libvips.so.42"

    /// Opens the library unless it is open already. Throws if it is missing.
    init(for purpose: String) throws(PictureFault) {
        try self.init(library: Self.library, for: purpose)
    }

    init(library: String, for purpose: String) throws(PictureFault) {
        let message = withMessage { message, capacity in cvips_open(library, message, capacity) }
        if let message {
            throw PictureFault(
                .image, "\(purpose) needs libvips: install the Debian package libvips42 (\(message))")
        }
    }

    /// Decodes a picture with the loader of this format and no other.
    /// - Parameter samples: which samples belong to the picture. nil if libvips decides.
    func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, as format: PictureFormat, samples: TIFFSamples? = nil
    ) throws(PictureFault) -> DecodedPicture {
        var loaded = cvips_pixels()
        let kept = cvips_samples(colours: Int32(samples?.colours ?? 0), alpha: Int32(samples?.alpha ?? -1))
        let message = withMessage { message, capacity in
            cvips_load(
                bytes.baseAddress, bytes.count, format.vips, kept, UInt64(PictureLimits.pixels), &loaded, message,
                capacity)
        }
        defer { cvips_free(loaded.profile) }
        guard message == nil, let pixels = loaded.bytes else {
            throw PictureLibraries.fault(bytes, format, message ?? "no pixels", isWhole: false)
        }
        let stored = PixelBuffer(owning: pixels, width: Int(loaded.width), height: Int(loaded.height)) {
            cvips_free($0)
        }
        let profile = ColourProfile(UnsafeBufferPointer(start: loaded.profile, count: loaded.profile_length))
        return DecodedPicture(
            stored: stored, orientation: Orientation(exif: Int(loaded.orientation)), profile: profile)
    }

    /// The size of the picture after turning it upright, without decoding it.
    func uprightSize(_ bytes: [UInt8], as format: PictureFormat) throws(PictureFault) -> (width: Int, height: Int) {
        var header = cvips_pixels()
        let message = withMessage { message, capacity in
            cvips_header(bytes, bytes.count, format.vips, &header, message, capacity)
        }
        if let message {
            throw bytes.withUnsafeBufferPointer { PictureLibraries.fault($0, format, message, isWhole: true) }
        }
        return Orientation(exif: Int(header.orientation)).upright(width: Int(header.width), height: Int(header.height))
    }

    /// Encodes a picture as PNG or WebP.
    /// - Parameters:
    ///   - quality: the quality for WebP, from 1 to 100.
    ///   - profile: what the numbers of the pixels mean.
    ///   - xmp: a packet of XMP data, which PNG would have compressed.
    func encode(
        _ pixels: PixelBuffer, as format: PictureFormat, quality: Int, profile: ColourProfile? = nil,
        xmp: [UInt8]? = nil
    ) throws(PictureFault) -> [UInt8] {
        var encoded: UnsafeMutableRawPointer?
        var length = 0
        let message = withBlob(xmp) { xmp in
            withBlob(profile?.bytes) { profile in
                withMessage { message, capacity in
                    cvips_save(
                        pixels.bytes, Int32(pixels.width), Int32(pixels.height), xmp, profile, format.vips,
                        Int32(quality), &encoded, &length, message, capacity)
                }
            }
        }
        guard message == nil, let encoded else {
            throw PictureFault(.image, "the picture cannot be encoded as \(format.name): \(message ?? "no bytes")")
        }
        defer { cvips_free(encoded) }
        return [UInt8](UnsafeRawBufferPointer(start: encoded, count: length))
    }

    /// Draws one line of text.
    /// - Parameters:
    ///   - markup: Pango markup.
    ///   - font: as Pango describes it, such as "DejaVu Sans 20px".
    func draw(markup: String, font: String) throws(PictureFault) -> TextMask {
        guard cvips_font_count() > 0 else {
            throw PictureFault(.image, "labels need a font: install the Debian package fonts-dejavu-core")
        }
        var drawn = cvips_pixels()
        let message = withMessage { message, capacity in cvips_text(markup, font, &drawn, message, capacity) }
        guard message == nil, let bytes = drawn.bytes else {
            throw PictureFault(.image, "a label cannot be drawn: \(message ?? "no pixels")")
        }
        defer { cvips_free(bytes) }
        let (width, height) = (Int(drawn.width), Int(drawn.height))
        let coverage = [UInt8](UnsafeBufferPointer(start: bytes, count: width * height))
        return TextMask(coverage: coverage, width: width, height: height, inkTop: Int(drawn.ink_top))
    }

    /// Names this thread for tools that show the process.
    /// - Parameter name: at most 15 bytes are used.
    static func nameThread(_ name: String) {
        cvips_name_thread(name)
    }

    /// Frees what libvips keeps for this thread, which is about to end.
    static func endThread() {
        cvips_end_thread()
    }
}

/// Passes bytes to C for the duration of a call.
private func withBlob<Value>(_ bytes: [UInt8]?, _ work: (cvips_blob) -> Value) -> Value {
    guard let bytes else { return work(cvips_blob(bytes: nil, length: 0)) }
    return bytes.withUnsafeBufferPointer { work(cvips_blob(bytes: $0.baseAddress, length: $0.count)) }
}

/// What a C function wrote about its failure. nil if it returned 0.
private func withMessage(_ call: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
        buffer.initialize(repeating: 0)
        guard let start = buffer.baseAddress, call(start, buffer.count) != 0 else { return nil }
        return String(cString: start)
    }
}

extension PictureFormat {
    fileprivate var vips: cvips_format {
        switch self {
        case .jpeg: CVIPS_JPEG
        case .png: CVIPS_PNG
        case .webp: CVIPS_WEBP
        case .gif: CVIPS_GIF
        case .tiff: CVIPS_TIFF
        case .bmp: CVIPS_BMP
        case .heif, .avif: CVIPS_HEIF
        }
    }
}
