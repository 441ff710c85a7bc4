/// A picture format, recognised by the first bytes.
public enum PictureFormat: String, Sendable, CaseIterable {
    case jpeg, png, webp, gif, tiff, bmp
    /// HEIC, as phones write it.
    case heif
    case avif

    /// The formats that nearly every service reads.
    public static let common: Set<PictureFormat> = [.jpeg, .png, .webp, .gif]

    /// The media types, the usual one first.
    public var mediaTypes: [String] {
        switch self {
        case .heif: ["image/heic", "image/heif"]
        default: ["image/\(rawValue)"]
        }
    }

    /// The formats that a media type names: one, or all for `image/*`. None if farm never posts such a format.
    public static func formats(of mediaType: String) -> Set<PictureFormat> {
        let type = mediaType.lowercased()
        return type == "image/*" ? Set(allCases) : Set(allCases.filter { $0.mediaTypes.contains(type) })
    }
}
