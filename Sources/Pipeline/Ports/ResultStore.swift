import Foundation
import Model

/// What the store knows of a job that was just taken.
public enum JobStanding: Sendable, Equatable {
    /// `images` has no such row.
    case unknownImage
    /// The job has its row already: it is not called again, its trigger or dead letter is made again.
    case recorded(ResultStatus, error: JSON?)
    /// To be done. `deaths`: over how many processes died after they had taken it when it came redelivered.
    case open(Image, deaths: Int)
}

/// A job as the store identifies it.
public struct JobKey: Sendable, Hashable {
    /// The row of `images`.
    public var imageID: ImageID
    /// The job; unique with the image.
    public var jobID: UUID
    /// It came redelivered: that it is begun is recorded until it is settled.
    public var redelivered: Bool

    package init(imageID: ImageID, jobID: UUID, redelivered: Bool) {
        self.imageID = imageID
        self.jobID = jobID
        self.redelivered = redelivered
    }
}

/// What an enricher needs to know of one image.
public struct EnrichmentWork: Sendable, Equatable {
    /// The row of `images`.
    public var image: Image
    /// The fused boxes.
    public var boxes: [StoredBox]
    /// What is there already.
    public var present: [StoredEnrichment]

    package init(image: Image, boxes: [StoredBox], present: [StoredEnrichment]) {
        self.image = image
        self.boxes = boxes
        self.present = present
    }
}

/// A row of `consensus` that is to be written.
public struct ConsensusRecord: Sendable, Equatable {
    /// What is stored, as JSON.
    public var data: JSON
    /// Seconds: what all the services took together.
    public var processingTime: Double

    package init(data: JSON, processingTime: Double) {
        self.data = data
        self.processingTime = processingTime
    }
}

/// The rows of the pipeline. Every method is one transaction, safe to repeat; all throw `PortFault`.
public protocol ResultStore: Sendable {
    /// Whether a row like this would be taken now: it is written as roles write it, all they read and write beside it
    /// too, and taken back. A row that another one stands in the way of says nothing of the store, and is no fault.
    /// - Parameter image: which the row is of, if it is there; nil: the newest.
    func probe(_ row: PlainRow, of image: ImageID?) async throws

    /// Where each job stands, in their order; those that come redelivered and are open are recorded as begun by
    /// `workerID`.
    func standing(of jobs: [JobKey], workerID: String) async throws -> [JobStanding]

    /// Forgets that `workerID` had begun these jobs: they are settled.
    func settle(_ jobs: [UUID], workerID: String) async throws

    /// Inserts the rows; one whose (image_id, job_id) is there already is left as it is, and one whose image is gone is not
    /// taken.
    /// - Returns: the jobs whose row was not inserted: `standing` says what became of them.
    @discardableResult
    func record(_ results: [AnalysisResult]) async throws -> Set<UUID>

    /// Which of these images `images` has.
    func images(_ ids: [ImageID]) async throws -> [ImageID: Image]

    /// Takes the images' locks in ascending order, gives each one's newest successful results of `services` and its
    /// stored boxes to `fuse`, and writes what it answers. Of the results' data only `predictions` may be there. An image
    /// without any such result keeps its rows.
    /// - Returns: how many boxes each image has now.
    func updateBoxes(
        of images: [ImageID], from services: [String], workerID: String,
        fuse: @Sendable @escaping ([StoredResult], [StoredBox]) -> BoxChanges
    ) async throws -> [ImageID: Int]

    /// What is there to enrich; images that are gone are left out. Of the data that are present only `error` may be there.
    func enrichmentWork(of images: [ImageID]) async throws -> [EnrichmentWork]

    /// Under the images' locks: drops rows whose box is gone, upserts the others, and notes in `missing` the pairs that
    /// wait for a service.
    /// - Parameter images: by image the `merged_id`s that were looked at: their earlier notes are dropped. Of other
    ///   boxes another enricher, that saw newer ones, may have noted something.
    func recordEnrichments(
        _ rows: [Enrichment], missing: [MissingEnrichment], of images: [ImageID: [Int]]
    ) async throws

    /// Images that wait for one of these services, ascending, above `after`.
    func imagesMissingEnrichments(of services: [String], after: ImageID, limit: Int) async throws -> [ImageID]

    /// The services, and whatever else, that pairs wait for.
    func servicesOfMissingEnrichments() async throws -> [String]

    /// Under the images' locks: gives each one's findings to `vote` and replaces its consensus with the answer; an image
    /// without any result has none. Of the data of results and enrichments only `predictions` may be there.
    func updateConsensus(
        of images: [ImageID], vote: @Sendable @escaping (ImageFindings) -> ConsensusRecord?
    ) async throws
}
