import Foundation
import Model

/// What the store knows about a job that was just taken.
public enum JobStanding: Sendable, Equatable {
    /// `images` has no row for its image.
    case unknownImage
    /// The job has its row already. No service is called; its trigger or dead letter is made again.
    case recorded(ResultStatus, error: JSON?)
    /// The job is to be done. `deaths` says how many processes died over it after it had been redelivered to them.
    case open(Image, deaths: Int)
}

/// How the store identifies a job.
public struct JobKey: Sendable, Hashable {
    /// The id of the image.
    public var imageID: ImageID
    /// The id of the job, unique within the image.
    public var jobID: UUID
    /// Whether it was redelivered. Such a job is recorded as begun until it is settled.
    public var redelivered: Bool

    package init(imageID: ImageID, jobID: UUID, redelivered: Bool) {
        self.imageID = imageID
        self.jobID = jobID
        self.redelivered = redelivered
    }
}

/// What the enricher needs to know about one image.
public struct EnrichmentWork: Sendable, Equatable {
    /// The row of `images`.
    public var image: Image
    /// The fused boxes.
    public var boxes: [StoredBox]
    /// Enrichments that are there already.
    public var present: [StoredEnrichment]

    package init(image: Image, boxes: [StoredBox], present: [StoredEnrichment]) {
        self.image = image
        self.boxes = boxes
        self.present = present
    }
}

/// The values of a `consensus` row.
public struct ConsensusRecord: Sendable, Equatable {
    /// The consensus, as JSON.
    public var data: JSON
    /// How many seconds all services together took.
    public var processingTime: Double

    package init(data: JSON, processingTime: Double) {
        self.data = data
        self.processingTime = processingTime
    }
}

/// The rows of the pipeline. Every method is one transaction and safe to repeat. All throw `PortFault`.
public protocol ResultStore: Sendable {
    /// Finds out whether a row like this would be taken now. It is written as roles write it, with everything that they
    /// read and write besides, and then rolled back. If another row is in the way, that says nothing about the store,
    /// and is no fault.
    /// - Parameter image: the image of the row, if it is there. nil for the newest image.
    func probe(_ row: PlainRow, of image: ImageID?) async throws

    /// The standing of each job, in the order of the jobs. Redelivered jobs that are open are recorded as begun by
    /// `workerID`.
    /// - Parameter patience: how long the question may wait, so that the store can answer others' with it.
    func standing(of jobs: [JobKey], workerID: String, patience: Duration) async throws -> [JobStanding]

    /// Forgets that `workerID` had begun these jobs, since they are settled.
    func settle(_ jobs: [UUID], workerID: String) async throws

    /// Inserts the rows. A row whose (image_id, job_id) is there already stays as it is, and a row whose image is gone
    /// is not taken.
    /// - Parameter patience: how long the rows may wait, so that the store can commit others' with them.
    /// - Returns: the jobs whose row was not inserted. `standing` says why.
    @discardableResult
    func record(_ results: [AnalysisResult], patience: Duration) async throws -> Set<UUID>

    /// The rows that `images` has for these ids.
    func images(_ ids: [ImageID]) async throws -> [ImageID: Image]

    /// Takes the images' locks in ascending order. For each image, gives the newest successful results of `services`
    /// and the stored boxes to `fuse`, and writes what it returns. The results' data may hold only `predictions`. An
    /// image without any such result keeps its rows.
    /// - Returns: how many boxes each image has now.
    func updateBoxes(
        of images: [ImageID], from services: [String], workerID: String,
        fuse: @Sendable @escaping ([StoredResult], [StoredBox]) -> BoxChanges
    ) async throws -> [ImageID: Int]

    /// What there is to enrich. Images that are gone are left out. The data of existing enrichments may hold only
    /// `error`.
    func enrichmentWork(of images: [ImageID]) async throws -> [EnrichmentWork]

    /// Under the images' locks: deletes rows whose box is gone, upserts the others, and notes in `missing` the pairs
    /// that wait for a service.
    /// - Parameter images: for each image, the `merged_id`s that were looked at. Their earlier notes are deleted. Notes
    ///   about other boxes stay: another enricher that saw newer boxes may have written them.
    func recordEnrichments(
        _ rows: [Enrichment], missing: [MissingEnrichment], of images: [ImageID: [Int]]
    ) async throws

    /// Images that wait for one of these services, ascending, above `after`.
    func imagesMissingEnrichments(of services: [String], after: ImageID, limit: Int) async throws -> [ImageID]

    /// The services that pairs wait for, and whatever else is written in their place.
    func servicesOfMissingEnrichments() async throws -> [String]

    /// Under the images' locks: gives the findings of each image to `vote`, and replaces its consensus with the answer.
    /// An image without any result gets none. The data of results and enrichments may hold only `predictions`.
    func updateConsensus(
        of images: [ImageID], vote: @Sendable @escaping (ImageFindings) -> ConsensusRecord?
    ) async throws
}

extension ResultStore {
    /// The standing of each job, without waiting for anybody's company.
    public func standing(of jobs: [JobKey], workerID: String) async throws -> [JobStanding] {
        try await standing(of: jobs, workerID: workerID, patience: .zero)
    }

    /// Inserts the rows, without waiting for anybody's company.
    @discardableResult
    public func record(_ results: [AnalysisResult]) async throws -> Set<UUID> {
        try await record(results, patience: .zero)
    }
}
