import Model

/// The rows that an image's facts rest on. Facts that rest on other ones are made anew.
public struct ImageVersion: Sendable, Hashable {
    /// The row of `images`.
    public var imageID: ImageID
    /// The largest `result_id`; 0 without any.
    package var resultID: Int
    /// The largest `merged_id`; 0 without any.
    package var mergedID: Int
    /// Rows of `merged_boxes`.
    package var boxes: Int
    /// The largest `consensus_id`; 0 without any.
    package var consensusID: Int

    package init(imageID: ImageID, resultID: Int, mergedID: Int, boxes: Int, consensusID: Int) {
        self.imageID = imageID
        self.resultID = resultID
        self.mergedID = mergedID
        self.boxes = boxes
        self.consensusID = consensusID
    }
}

/// What is to be indexed next.
public struct IndexWork: Sendable, Equatable {
    /// Images whose facts are missing or rest on other rows than those that are there now.
    public var images: [ImageVersion]
    /// Up to where each table was followed, once these images are indexed.
    package var marks: [String: Int]
    /// More has come in than these: ask again at once.
    public var isBehind: Bool

    package init(images: [ImageVersion], marks: [String: Int], isBehind: Bool) {
        self.images = images
        self.marks = marks
        self.isBehind = isBehind
    }
}

/// What facts are made of.
public struct ImageMaterial: Sendable, Equatable {
    /// The row of `images`.
    public var imageID: ImageID
    /// Services with a successful row, sorted.
    public var answered: [String]
    /// Services whose newest row is an error, sorted.
    public var failed: [String]
    /// The newest successful row of each detector; of its data the predictions.
    public var detections: [StoredResult]
    /// The fused boxes.
    public var boxes: [StoredBox]
    /// `consensus_data`, if there is a row.
    public var consensus: JSON?

    package init(
        imageID: ImageID, answered: [String], failed: [String], detections: [StoredResult], boxes: [StoredBox],
        consensus: JSON?
    ) {
        self.imageID = imageID
        self.answered = answered
        self.failed = failed
        self.detections = detections
        self.boxes = boxes
        self.consensus = consensus
    }
}

/// Keeps the index that images are searched by. Whoever writes rows knows nothing of it and pays nothing for it: it follows the
/// tables by their ids, and looks every image through again and again for what that has missed (rows that were deleted, or
/// committed late). All throw `PortFault`.
public protocol ImageIndexing: Sendable {
    /// What is to be indexed next, from about so many rows.
    func indexWork(limit: Int) async throws -> IndexWork

    /// What the facts of these images are made of, in their order.
    func material(of images: [ImageID], detectors: [String]) async throws -> [ImageMaterial]

    /// Writes facts in place of those that are there, and notes up to where the tables were followed. Images that are gone are
    /// taken out of the index.
    func index(_ facts: [ImageFacts], for work: IndexWork) async throws
}
