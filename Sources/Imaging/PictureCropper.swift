import Model
import Pictures
import Pipeline

/// Cuts boxes out of pictures: JPEG by libjpeg, other formats by libvips, which is opened at first use.
public final class PictureCropper: ImageCropper {
    private let decoding: PictureThreads
    /// Headers and ends do not wait behind pictures that are being decoded.
    private let inspecting = PictureThreads("farm-header", count: 1)
    private let root: String?

    /// - Parameters:
    ///   - parallelism: how many pictures are decoded at a time. A JPEG takes a few rows (a progressive one up to six bytes
    ///     a pixel, a turned one three for each of the boxes), another picture three bytes a pixel (CMYK: four): at
    ///     the limit of 100 megapixels 300 MB.
    ///   - root: IMAGE_ROOT, the folder that files have to lie in; nil: anywhere.
    public init(parallelism: Int, root: String? = nil) {
        decoding = PictureThreads("farm-picture", count: parallelism)
        self.root = root
    }

    /// Reads the header, and looks for the end: format by the bytes, dimensions, size. What does not seem to be there to
    /// its end is decoded.
    ///
    /// Throws `image` for what is missing, unreadable, outside the root, no image by its bytes or truncated, `too_large` beyond ``PictureLimits``.
    public func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader {
        let (header, seemsWhole) = try await inspecting.run { [root] () throws(PictureFault) in
            try picture.naming { () throws(PictureFault) in
                var reader = try picture.headerReader(root: root)
                let header = try PictureHeader(&reader, path: picture.path)
                // This box's library may not know how such a photo is made: better told now than by every job.
                if header.format == .heif, PictureLibraries.oldHEIF != nil, try reader.heifSharesItems() {
                    _ = try picture.uprightSize(root: root)
                }
                return (header, try reader.seemsWhole(header.format))
            }
        }
        guard !seemsWhole else { return header }
        try await decoding.run { [root] () throws(PictureFault) in
            try picture.naming { () throws(PictureFault) in try StoredPicture(picture, root: root).decodeToTheEnd() }
        }
        return header
    }

    /// Width and height of the picture turned upright, as crops and services see it, without decoding it.
    ///
    /// Throws as ``inspect(_:)`` does, but not for what is truncated behind its header, and `image` for what libvips is
    /// needed for when it is missing.
    public func uprightSize(_ picture: PictureSource) async throws(PictureFault) -> (width: Int, height: Int) {
        try await inspecting.run { [root] () throws(PictureFault) in
            try picture.naming { () throws(PictureFault) in try picture.uprightSize(root: root) }
        }
    }

    /// Decodes the picture once and encodes the part of each box that lies in the upright picture as JPEG (4:2:0): from
    /// the pixel of its upper left corner to that of its lower right one, at least one pixel.
    ///
    /// Throws as ``inspect(_:)`` does, and `image` for a truncated or damaged picture.
    public func crop(
        _ picture: PictureSource, to boxes: [Box], quality: Int
    ) async throws(PictureFault) -> Crops {
        try await decoding.run { [root] () throws(PictureFault) in
            try picture.naming { () throws(PictureFault) in
                try StoredPicture(picture, root: root).crops(of: boxes, quality: quality)
            }
        }
    }
}
