import Model

/// Where the bytes of a picture are.
public enum PictureSource: Sendable, Equatable {
    /// A path on this machine.
    case file(String)
    case bytes([UInt8])
}

/// What a picture's header says, before anything is decoded.
public struct PictureHeader: Sendable, Equatable {
    /// The format, by the first bytes.
    public var format: PictureFormat
    /// The width as stored, in pixels, before EXIF orientation.
    public var width: Int
    /// The height as stored, in pixels, before EXIF orientation.
    public var height: Int
    /// The size of the whole file.
    public var bytes: Int
    /// Whether it is marked as a photo into which farm has drawn boxes and labels.
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
    /// The largest size of a file, or of the answer to a fetch.
    public static let bytes = 64 << 20
    /// The largest decoded picture.
    public static let pixels = 100_000_000
}
