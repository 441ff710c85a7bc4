import Model

/// Where the bytes of a picture are.
public enum PictureSource: Sendable, Equatable {
    /// A path on this box.
    case file(String)
    case bytes([UInt8])
}

/// What a picture's header says, before anything is decoded.
public struct PictureHeader: Sendable, Equatable {
    /// By its first bytes.
    public var format: PictureFormat
    /// Pixels as stored, before EXIF orientation.
    public var width: Int
    /// Pixels.
    public var height: Int
    /// Size of the whole file.
    public var bytes: Int
    /// It is marked as a photo into which farm has drawn boxes and labels.
    public var isDrawnByFarm: Bool

    package init(format: PictureFormat, width: Int, height: Int, bytes: Int, isDrawnByFarm: Bool = false) {
        self.isDrawnByFarm = isDrawnByFarm
        self.format = format
        self.width = width
        self.height = height
        self.bytes = bytes
    }
}

/// Limits of what is decoded or sent (spec section 5).
public enum PictureLimits {
    /// Of a file or an answer to a fetch.
    public static let bytes = 64 << 20
    /// Of a decoded picture.
    public static let pixels = 100_000_000
}
