/// Everything that the store holds about one image, as it is needed for merging, voting and showing.
public struct ImageFindings: Sendable, Equatable {
    /// The id of the image.
    public var imageID: ImageID
    /// The newest row (largest `result_id`) of each service, whatever its status.
    public var results: [StoredResult]
    /// The newest successful row of each service.
    public var successes: [StoredResult]
    /// The fused boxes.
    public var boxes: [StoredBox]
    /// Rows of `face`, `pose` and `colors` only.
    public var enrichments: [StoredEnrichment]

    package init(
        imageID: ImageID, results: [StoredResult], successes: [StoredResult], boxes: [StoredBox],
        enrichments: [StoredEnrichment]
    ) {
        self.imageID = imageID
        self.results = results
        self.successes = successes
        self.boxes = boxes
        self.enrichments = enrichments
    }
}
