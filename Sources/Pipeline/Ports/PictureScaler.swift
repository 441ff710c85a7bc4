import Model
import Pictures

/// The largest that a picture may be.
public struct ScaledFit: Sendable, Equatable {
    /// Pixels of the upright picture.
    public var width: Int
    /// Pixels.
    public var height: Int

    /// Less than a pixel counts as one.
    public init(width: Int, height: Int) {
        self.width = max(1, width)
        self.height = max(1, height)
    }

    /// The size that a picture gets: its own, or a smaller one of the same shape; no side is less than a pixel.
    public func size(of picture: (width: Int, height: Int)) -> (width: Int, height: Int) {
        let factor = min(
            1, Double(width) / Double(max(1, picture.width)), Double(height) / Double(max(1, picture.height)))
        func side(_ length: Int, _ limit: Int) -> Int {
            min(limit, max(1, Int((Double(length) * factor).rounded())))
        }
        return (side(picture.width, width), side(picture.height, height))
    }
}

/// A picture that was made smaller.
public struct ScaledPicture: Sendable, Equatable {
    /// The encoded picture, upright, without EXIF.
    public var jpeg: [UInt8]
    /// Pixels.
    public var width: Int
    /// Pixels.
    public var height: Int

    package init(jpeg: [UInt8], width: Int, height: Int) {
        self.jpeg = jpeg
        self.width = width
        self.height = height
    }
}

/// Makes pictures smaller for people.
public protocol PictureScaler: Sendable {
    /// The picture upright by its EXIF orientation, as JPEG, so small that it fits; none is made larger.
    /// - Parameter quality: of JPEG, 1…100.
    func scale(_ picture: PictureSource, toFit fit: ScaledFit, quality: Int) async throws(PictureFault) -> ScaledPicture
}
