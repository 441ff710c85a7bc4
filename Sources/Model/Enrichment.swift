/// A row of `postprocessing` that is to be written: what one service says of one box's crop.
public struct Enrichment: Sendable, Equatable {
    /// The row of `images`.
    public var imageID: ImageID
    /// The row of `merged_boxes`.
    public var mergedID: Int
    /// `face`, `pose` or `colors`.
    public var service: String
    /// What is stored, as JSON.
    public var data: JSON
    /// How it ended.
    public var status: ResultStatus

    package init(imageID: ImageID, mergedID: Int, service: String, data: JSON, status: ResultStatus) {
        self.imageID = imageID
        self.mergedID = mergedID
        self.service = service
        self.data = data
        self.status = status
    }

    /// The services that are asked about crops.
    public static let services = ["colors", "face", "pose"]
}

/// A row of `postprocessing` as it was read.
public struct StoredEnrichment: Sendable, Equatable {
    /// The row of `merged_boxes`.
    public var mergedID: Int
    /// The service it is of.
    public var service: String
    /// What is stored, as JSON.
    public var data: JSON
    /// How it ended.
    public var status: ResultStatus

    package init(mergedID: Int, service: String, data: JSON, status: ResultStatus) {
        self.mergedID = mergedID
        self.service = service
        self.data = data
        self.status = status
    }
}

/// A box and a service whose answer is still missing because the service was down.
public struct MissingEnrichment: Sendable, Hashable {
    /// The row of `images`.
    public var imageID: ImageID
    /// The row of `merged_boxes`.
    public var mergedID: Int
    /// The service it is of.
    public var service: String

    package init(imageID: ImageID, mergedID: Int, service: String) {
        self.imageID = imageID
        self.mergedID = mergedID
        self.service = service
    }
}
