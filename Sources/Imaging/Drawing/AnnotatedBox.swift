import Model

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
