import Files
import Pictures
import Pipeline

/// Writes photos with their boxes and labels drawn in.
public struct Annotator: PictureAnnotator {
    private let threads = PictureThreads("farm-drawing", count: 1)
    private let root: String?

    /// An annotator that draws one picture at a time.
    /// - Parameter root: IMAGE_ROOT, the folder that photos on this machine must be in. nil for anywhere.
    public init(root: String? = nil) { self.root = root }

    /// - Throws: `PictureFault` if no picture can be written to such a path. The message says which extensions are
    ///   possible.
    public static func checkExtension(of path: String) throws(PictureFault) { _ = try AnnotatedFormat(path: path) }

    /// Writes the upright picture with boxes and labels to a path: JPEG, PNG or WebP by its extension, at once or not
    /// at all, marked as farm's (``PictureHeader/isDrawnByFarm``). A label has the same colour in all pictures. Boxes
    /// that are entirely outside are left out.
    ///
    /// Throws `image` or `too_large` as ``PictureCropper/inspect(_:)`` does; and `image` for an unknown extension, for
    /// a path that cannot be written, or if libvips or a font is missing.
    /// - Parameter replacesAny: whether any existing file is replaced, and not only a picture that farm has drawn.
    public func annotate(
        _ picture: PictureSource, boxes: [AnnotatedBox], to path: String, replacesAny: Bool = false
    ) async throws(PictureFault) {
        try await threads.run { [root] () throws(PictureFault) in
            let format = try AnnotatedFormat(path: path)
            let file = try Annotator.writing { () throws(OutputFault) in
                try OutputFile(path, replacing: replacesAny ? .anything : .own(Annotator.hasDrawn))
            }
            let decoded = try picture.naming { () throws(PictureFault) in
                try StoredPicture(picture, root: root).decode()
            }
            let canvas = Canvas(pixels: try decoded.upright())
            try canvas.draw(boxes)
            let bytes = try format.encode(canvas.pixels, profile: decoded.profile)
            try Annotator.writing { () throws(OutputFault) in
                try file.write(bytes)
                try file.complete(isDurable: false)
            }
        }
    }

    private static func writing<Value>(_ work: () throws(OutputFault) -> Value) throws(PictureFault) -> Value {
        do { return try work() } catch { throw PictureFault(.image, error.message) }
    }

    @Sendable private static func hasDrawn(_ path: String) -> Bool {
        guard var reader = try? PictureSource.file(path).headerReader() else { return false }
        return (try? PictureHeader(&reader))?.isDrawnByFarm ?? false
    }
}
