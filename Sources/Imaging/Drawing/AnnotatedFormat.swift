import Model
import Pictures
import Pipeline

/// A format in which an annotated picture is written, chosen by the extension of its path.
enum AnnotatedFormat: CaseIterable {
    case jpeg, png, webp

    private var extensions: [String] {
        switch self {
        case .jpeg: [".jpg", ".jpeg"]
        case .png: [".png"]
        case .webp: [".webp"]
        }
    }

    /// Throws if the extension is of none of these formats.
    init(path: String) throws(PictureFault) {
        let lowercased = path.lowercased()
        guard let format = Self.allCases.first(where: { $0.extensions.contains { lowercased.hasSuffix($0) } }) else {
            let known = Self.allCases.flatMap(\.extensions).joined(separator: ", ")
            throw PictureFault(.image, "\(path): a picture can be written as \(known)")
        }
        self = format
    }

    /// Encodes the picture, marked as farm's, with the photo's colour profile. JPEG keeps all its chroma, so that lines
    /// and text stay sharp.
    func encode(_ pixels: PixelBuffer, profile: ColourProfile? = nil) throws(PictureFault) -> [UInt8] {
        switch self {
        case .jpeg:
            try JPEGEncoder.encode(
                pixels.bytes, width: pixels.width, height: pixels.height, bytesPerRow: pixels.bytesPerRow, quality: 90,
                subsampling: .none, profile: profile, xmp: DrawnMark.packet)
        case .png:
            PNGText.adding(
                xmp: DrawnMark.packet,
                to: try Vips(for: "PNG").encode(pixels, as: .png, quality: 90, profile: profile))
        case .webp:
            try Vips(for: "WebP").encode(pixels, as: .webp, quality: 90, profile: profile, xmp: DrawnMark.packet)
        }
    }
}
