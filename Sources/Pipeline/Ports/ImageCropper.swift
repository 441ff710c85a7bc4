import Model
import Pictures

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
