import Model
import Pictures

/// A box to draw, with what stands on its bar.
public struct AnnotatedBox: Sendable, Equatable {
    /// In pixels of the upright picture.
    public var box: Box
    /// Any text; also what decides the colour.
    public var label: String
    /// 0…1.
    public var score: Double

    /// A box labelled "`label` `score`".
    public init(box: Box, label: String, score: Double) {
        self.box = box
        self.label = label
        self.score = score
    }
}

/// Writes photos with boxes and labels drawn in.
public protocol PictureAnnotator: Sendable {
    /// Writes the upright picture with boxes and labels to a path, at once or not at all, marked as farm's. Boxes wholly
    /// outside are left out.
    /// - Parameter replacesAny: whatever is there gives way, not only a picture that farm has drawn.
    func annotate(
        _ picture: PictureSource, boxes: [AnnotatedBox], to path: String, replacesAny: Bool
    ) async throws(PictureFault)
}
