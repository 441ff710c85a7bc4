import Harmony
import Model

/// How a farm reads answers: which services there are, and how their boxes are merged. The web, the merger and the consensus must
/// agree on it.
package struct ReadingRules: Sendable {
    /// Services whose evidence is spatial, sorted.
    package var detectors: [String]
    /// The services that every image is sent to, sorted.
    package var expected: [String]
    /// How boxes are merged.
    package var merging: MergingOptions

    package init(detectors: [String], expected: [String], merging: MergingOptions) {
        self.detectors = detectors
        self.expected = expected
        self.merging = merging
    }
}
