import Model
import Pipeline

extension PictureFormat {
    /// The name as people write it.
    var name: String {
        switch self {
        case .jpeg: "JPEG"
        case .png: "PNG"
        case .webp: "WebP"
        case .gif: "GIF"
        case .tiff: "TIFF"
        case .bmp: "BMP"
        case .heif: "HEIC"
        case .avif: "AVIF"
        }
    }
}
