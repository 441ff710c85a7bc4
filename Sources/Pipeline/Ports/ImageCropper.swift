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

/// Why a picture is not used: `image` (missing, unreadable, damaged) or `too_large`.
public struct PictureFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// What sort of failure it is.
    public var kind: FailureKind
    /// One line for people, with the place and the cause; never a secret.
    public var message: String
    /// By its bytes it is none, or it has none: in a folder of pictures nothing is wrong with that.
    public var isOfNoImage: Bool
    /// What kind of camera raw it is, such as `DNG`; nil where it is none. Such a file counts as no image.
    public var cameraRaw: String?
    /// What may pass by itself; nil where another try would end the same way.
    public var absence: PictureAbsence?

    package init(
        _ kind: FailureKind, _ message: String, isOfNoImage: Bool = false, cameraRaw: String? = nil,
        absence: PictureAbsence? = nil
    ) {
        self.kind = kind
        self.message = message
        self.isOfNoImage = isOfNoImage
        self.cameraRaw = cameraRaw
        self.absence = absence
    }

    /// One line for people.
    public var description: String { message }
}

/// Limits of what is decoded or sent (spec section 5).
public enum PictureLimits {
    /// Of a file or an answer to a fetch.
    public static let bytes = 64 << 20
    /// Of a decoded picture.
    public static let pixels = 100_000_000
}

/// Cuts boxes out of pictures, in memory.
public protocol ImageCropper: Sendable {
    /// Reads the header, and looks for the end: format by the bytes, dimensions, size; refuses what is truncated or over
    /// the limits.
    func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader

    /// Decodes the picture once, turned upright by its EXIF orientation, and encodes each box, clamped to the picture,
    /// as JPEG. A box that fails fails alone.
    /// - Parameter quality: of JPEG, 1…100.
    func crop(_ picture: PictureSource, to boxes: [Box], quality: Int) async throws(PictureFault) -> Crops
}

/// The crops of one picture, in the order of the boxes.
public struct Crops: Sendable {
    /// Pixels of the upright picture.
    public var width: Int
    /// Pixels.
    public var height: Int
    /// nil for a box that lies wholly outside the picture, or that has a fault.
    public var crops: [Crop?]
    /// Why boxes that lie in the picture have no crop, by their places: of a size that no JPEG may have, or that there is no
    /// memory for.
    public var faults: [Int: PictureFault]

    package init(width: Int, height: Int, crops: [Crop?], faults: [Int: PictureFault] = [:]) {
        self.width = width
        self.height = height
        self.crops = crops
        self.faults = faults
    }
}

/// One crop as it is sent to a service.
public struct Crop: Sendable, Equatable {
    /// The encoded crop.
    public var jpeg: [UInt8]
    /// The part of the upright picture that it shows: whole pixels.
    public var area: Box

    package init(jpeg: [UInt8], area: Box) {
        self.jpeg = jpeg
        self.area = area
    }
}
