import Model
import Pictures

/// Cuts boxes out of pictures, in memory.
public protocol ImageCropper: Sendable {
    /// Reads the header: the format by its bytes, the dimensions and the size. Looks for the end too. Refuses a picture
    /// that is truncated or exceeds the limits.
    func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader

    /// Decodes the picture once, turns it upright by its EXIF orientation, clamps each box to the picture, and encodes
    /// it as JPEG. One box that fails does not affect the others.
    /// - Parameter quality: the JPEG quality, from 1 to 100.
    func crop(_ picture: PictureSource, to boxes: [Box], quality: Int) async throws(PictureFault) -> Crops
}

/// The crops of one picture, in the order of the boxes.
public struct Crops: Sendable {
    /// The width of the upright picture, in pixels.
    public var width: Int
    /// The height of the upright picture, in pixels.
    public var height: Int
    /// nil for a box that is entirely outside the picture, or that has a fault.
    public var crops: [Crop?]
    /// Why boxes inside the picture have no crop, by their places in `crops`: no JPEG may have their size, or there is
    /// no memory for it.
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
    /// The crop, encoded as JPEG.
    public var jpeg: [UInt8]
    /// The part of the upright picture that it shows, in whole pixels.
    public var area: Box

    package init(jpeg: [UInt8], area: Box) {
        self.jpeg = jpeg
        self.area = area
    }
}
