/// The values of a `postprocessing` row: what one service found in the crop of one box.
public struct Enrichment: Sendable, Equatable {
    /// The id of the image.
    public var imageID: ImageID
    /// The id of the box's row in `merged_boxes`.
    public var mergedID: Int
    /// `face`, `pose` or `colors`.
    public var service: String
    /// The answer, or the error, as JSON.
    public var data: JSON
    /// Whether there is an answer and whether it has predictions.
    public var status: ResultStatus

    package init(imageID: ImageID, mergedID: Int, service: String, data: JSON, status: ResultStatus) {
        self.imageID = imageID
        self.mergedID = mergedID
        self.service = service
        self.data = data
        self.status = status
    }

    /// The services that analyse crops.
    public static let services = ["colors", "face", "pose"]
}

/// A row of `postprocessing` as it was read.
public struct StoredEnrichment: Sendable, Equatable {
    /// The id of the box's row in `merged_boxes`.
    public var mergedID: Int
    /// The name of the service.
    public var service: String
    /// The answer, or the error, as JSON.
    public var data: JSON
    /// Whether there is an answer and whether it has predictions.
    public var status: ResultStatus

    package init(mergedID: Int, service: String, data: JSON, status: ResultStatus) {
        self.mergedID = mergedID
        self.service = service
        self.data = data
        self.status = status
    }
}

/// A box and a service whose answer is missing because the service was down.
public struct MissingEnrichment: Sendable, Hashable {
    /// The id of the image.
    public var imageID: ImageID
    /// The id of the box's row in `merged_boxes`.
    public var mergedID: Int
    /// The name of the service.
    public var service: String

    package init(imageID: ImageID, mergedID: Int, service: String) {
        self.imageID = imageID
        self.mergedID = mergedID
        self.service = service
    }
}
