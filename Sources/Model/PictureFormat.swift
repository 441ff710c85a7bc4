/// A kind of picture, known by its first bytes.
public enum PictureFormat: String, Sendable, CaseIterable {
    case jpeg, png, webp, gif, tiff, bmp
    /// HEIC, as phones take them.
    case heif
    case avif

    /// What nearly every service reads.
    public static let common: Set<PictureFormat> = [.jpeg, .png, .webp, .gif]

    /// Its media types, the usual one first.
    public var mediaTypes: [String] {
        switch self {
        case .heif: ["image/heic", "image/heif"]
        default: ["image/\(rawValue)"]
        }
    }

    /// Those that a media type names: one, or for `image/*` all; none for what farm never posts.
    public static func formats(of mediaType: String) -> Set<PictureFormat> {
        let type = mediaType.lowercased()
        return type == "image/*" ? Set(allCases) : Set(allCases.filter { $0.mediaTypes.contains(type) })
    }
}
