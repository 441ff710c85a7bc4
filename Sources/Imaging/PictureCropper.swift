import Model
import Pictures
import Pipeline

/// Cuts boxes out of pictures. JPEG is read by libjpeg, other formats by libvips, which is opened at first use.
public final class PictureCropper: ImageCropper {
    private let decoding: PictureThreads
    /// Headers and ends do not wait for pictures that are being decoded.
    private let inspecting = PictureThreads("farm-header", count: 1)
    private let root: String?

    /// - Parameters:
    ///   - parallelism: how many pictures are decoded at a time. A JPEG needs a few rows (a progressive one up to six
    ///     bytes for each pixel, a turned one three for each pixel of the boxes). Another picture needs three bytes
    ///     for each pixel (CMYK: four), which at the limit of 100 megapixels are 300 MB.
    ///   - root: IMAGE_ROOT, the folder that files must be in. nil for anywhere.
    public init(parallelism: Int, root: String? = nil) {
        decoding = PictureThreads("farm-picture", count: parallelism)
        self.root = root
    }

    /// Reads the header: the format by the bytes, the dimensions and the size. Looks for the end too. A picture that
    /// does not seem complete is decoded.
    ///
    /// Throws `image` if the picture is missing, unreadable, outside the root, no image by its bytes, or truncated;
    /// `too_large` beyond ``PictureLimits``.
    public func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader {
        let (header, seemsWhole) = try await inspecting.run { [root] () throws(PictureFault) in
            try picture.naming { () throws(PictureFault) in
                var reader = try picture.headerReader(root: root)
                let header = try PictureHeader(&reader, path: picture.path)
                // This machine's library may not be able to read such a photo. Better to say so now than for each job.
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

    /// The size of the picture turned upright, as crops and services see it, without decoding it.
    ///
    /// Throws as ``inspect(_:)`` does, but not if the picture is truncated after its header; and `image` if libvips is
    /// needed and missing.
    public func uprightSize(_ picture: PictureSource) async throws(PictureFault) -> (width: Int, height: Int) {
        try await inspecting.run { [root] () throws(PictureFault) in
            try picture.naming { () throws(PictureFault) in try picture.uprightSize(root: root) }
        }
    }

    /// Decodes the picture once, and encodes the part of each box that is inside the upright picture as JPEG (4:2:0):
    /// from the pixel at its upper left corner to the one at its lower right, at least one pixel.
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

extension PictureCropper: PictureScaler {
    /// Decodes the picture, of a JPEG no more than is needed, turns it upright, and makes it smaller where it does not fit;
    /// the colour profile stays.
    ///
    /// Throws as ``crop(_:to:quality:)`` does.
    public func scale(
        _ picture: PictureSource, toFit fit: ScaledFit, quality: Int
    ) async throws(PictureFault) -> ScaledPicture {
        try await decoding.run { [root] () throws(PictureFault) in
            try picture.naming { () throws(PictureFault) in
                try StoredPicture(picture, root: root).decode(forFit: fit).scaled(toFit: fit, quality: quality)
            }
        }
    }
}
