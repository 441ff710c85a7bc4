import Model
import Pictures

/// A box to draw, with a label on its bar.
public struct AnnotatedBox: Sendable, Equatable {
    /// In pixels of the upright picture.
    public var box: Box
    /// Any text. It also decides the colour.
    public var label: String
    /// From 0 to 1.
    public var score: Double

    /// A box with the label "`label` `score`".
    public init(box: Box, label: String, score: Double) {
        self.box = box
        self.label = label
        self.score = score
    }
}

/// Draws boxes and labels into photos and writes the result.
public protocol PictureAnnotator: Sendable {
    /// Writes the upright picture with boxes and labels to a path, at once or not at all, marked as farm's. Boxes that
    /// are entirely outside are left out.
    /// - Parameter replacesAny: whether any existing file is replaced, and not only a picture that farm has drawn.
    func annotate(
        _ picture: PictureSource, boxes: [AnnotatedBox], to path: String, replacesAny: Bool
    ) async throws(PictureFault)
}
