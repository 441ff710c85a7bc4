/// What images are searched by, as far as their rows tell it.
public struct ImageFacts: Sendable, Equatable {
    /// The row of `images`.
    public var imageID: ImageID
    /// Labels of fused boxes, each with the highest mean confidence of a box.
    public var labels: [String: Double]
    /// Labels that a detector named and no fused box has, each with the highest confidence.
    public var unfusedLabels: [String: Double]
    /// Emoji of the consensus, each with its votes.
    public var emoji: [String: Int]
    /// The highest mean confidence of a fused box; 0 where there is none.
    public var confidence: Double
    /// What the services have answered.
    public var standing: ImageStanding

    /// The most votes that an emoji of the consensus has; 0 where there is none.
    public var votes: Int { emoji.values.max() ?? 0 }

    package init(
        imageID: ImageID, labels: [String: Double] = [:], unfusedLabels: [String: Double] = [:],
        emoji: [String: Int] = [:], confidence: Double = 0, standing: ImageStanding = ImageStanding()
    ) {
        self.imageID = imageID
        self.labels = labels
        self.unfusedLabels = unfusedLabels
        self.emoji = emoji
        self.confidence = confidence
        self.standing = standing
    }
}

/// What the services have answered about an image. Many images have the same one.
public struct ImageStanding: Sendable, Hashable {
    /// Services with a successful row, sorted.
    public var answered: [String]
    /// Services whose newest row is an error, sorted.
    public var failed: [String]
    /// There is a consensus.
    public var hasConsensus: Bool
    /// At least two detectors have answered, and a fused box was not seen by all of them.
    public var disagrees: Bool

    package init(
        answered: [String] = [], failed: [String] = [], hasConsensus: Bool = false, disagrees: Bool = false
    ) {
        self.answered = answered
        self.failed = failed
        self.hasConsensus = hasConsensus
        self.disagrees = disagrees
    }

    /// How far the image is.
    /// - Parameter expected: the services that an image is sent to; none: whatever has answered is all.
    public func state(expecting expected: [String]) -> ImageState {
        let (answered, failed) = (Set(answered), Set(failed))
        guard !expected.isEmpty else {
            return failed.isEmpty ? answered.isEmpty ? .pending : .complete : .completeWithErrors
        }
        let done = expected.count { answered.contains($0) || failed.contains($0) }
        guard done == expected.count else { return done == 0 ? .pending : .partial }
        return expected.contains(where: failed.contains) ? .completeWithErrors : .complete
    }

    /// The expected services without any row.
    public func missing(of expected: [String]) -> [String] {
        expected.filter { !answered.contains($0) && !failed.contains($0) }
    }
}

/// How far an image is (spec section 12).
public enum ImageState: String, Sendable, CaseIterable {
    /// No expected service has a row.
    case pending
    /// Some have.
    case partial
    /// All have a success.
    case complete
    /// All have a row, and the newest of some is an error.
    case completeWithErrors = "complete_with_errors"
}
