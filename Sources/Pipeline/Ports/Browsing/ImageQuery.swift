import Model

/// Which images are looked for; all that is given has to be true.
public struct ImageQuery: Sendable, Equatable {
    /// nil: of every group and of none.
    public var group: String?
    /// A label of a fused box.
    public var label: String?
    /// The label may also be one that only a detector named, and no fused box has.
    public var includesUnfused: Bool
    /// An emoji of the consensus.
    public var emoji: String?
    /// Votes that the emoji has, or, without an emoji, any emoji of the consensus.
    public var minVotes: Int?
    /// Mean confidence of a fused box with the label, or, without a label, of any fused box. Where `includesUnfused` makes a
    /// detector's box count, its confidence.
    public var minConfidence: Double?
    /// A fused box was not seen by all detectors that have answered.
    public var disagrees: Bool
    /// The newest row of this service is an error.
    public var failedService: String?
    /// The newest row of any service is an error.
    public var hasFailure: Bool
    /// How far it is.
    public var state: ImageState?
    /// Some of `expected` has no row.
    public var isIncomplete: Bool
    /// There is no consensus.
    public var lacksConsensus: Bool
    /// Filename, path or URL contain it; the case of ASCII letters does not matter.
    public var text: String?
    /// The services that an image is sent to: what `state` and `isIncomplete` mean.
    public var expected: [String]

    /// Every image, unless it says otherwise.
    public init(
        group: String? = nil, label: String? = nil, includesUnfused: Bool = false, emoji: String? = nil,
        minVotes: Int? = nil, minConfidence: Double? = nil, disagrees: Bool = false, failedService: String? = nil,
        hasFailure: Bool = false, state: ImageState? = nil, isIncomplete: Bool = false, lacksConsensus: Bool = false,
        text: String? = nil, expected: [String] = []
    ) {
        self.group = group
        self.label = label
        self.includesUnfused = includesUnfused
        self.emoji = emoji
        self.minVotes = minVotes
        self.minConfidence = minConfidence
        self.disagrees = disagrees
        self.failedService = failedService
        self.hasFailure = hasFailure
        self.state = state
        self.isIncomplete = isIncomplete
        self.lacksConsensus = lacksConsensus
        self.text = text
        self.expected = expected
    }
}

extension ImageQuery {
    /// Whether it asks for something that the standing of an image tells.
    package var asksForStanding: Bool {
        disagrees || failedService != nil || hasFailure || state != nil || isIncomplete || lacksConsensus
    }

    /// Whether an image of this standing can be meant.
    package func matches(_ standing: ImageStanding) -> Bool {
        if disagrees, !standing.disagrees { return false }
        if hasFailure, standing.failed.isEmpty { return false }
        if let failedService, !standing.failed.contains(failedService) { return false }
        if isIncomplete, standing.missing(of: expected).isEmpty { return false }
        if lacksConsensus, standing.hasConsensus { return false }
        if let state, standing.state(expecting: expected) != state { return false }
        return true
    }
}

/// Which image comes first.
public enum ImageOrder: String, Sendable, CaseIterable {
    /// The largest `image_id`.
    case newestFirst = "newest"
    /// The smallest `image_id`.
    case oldestFirst = "oldest"

    package var reversed: ImageOrder { self == .newestFirst ? .oldestFirst : .newestFirst }
}

/// A place in a list of images. Its text is nobody's to read: it may change.
public struct ImageCursor: Sendable, Equatable {
    /// The page lies before the image, in the list's order.
    package var isBefore: Bool
    /// An image of this id may be gone: the place stays.
    package var imageID: ImageID

    package init(before imageID: ImageID) { (isBefore, self.imageID) = (true, imageID) }
    package init(after imageID: ImageID) { (isBefore, self.imageID) = (false, imageID) }

    /// As it stands in an address.
    public var text: String { (isBefore ? "b" : "a") + String(imageID, radix: 36) }

    /// Reads what `text` wrote; nil for anything else.
    public init?(_ text: String) {
        guard let first = text.first, first == "a" || first == "b", text.utf8.count <= 14,
            let id = ImageID(text.dropFirst(), radix: 36), id >= 0, String(id, radix: 36) == text.dropFirst()
        else { return nil }
        (isBefore, imageID) = (first == "b", id)
    }
}
