import Foundation

/// The status of a row of `results` or `postprocessing`.
public enum ResultStatus: String, Sendable {
    case success
    case error
    /// Only for enrichments: an answer without predictions.
    case empty
}

/// The values of a `results` row.
public struct AnalysisResult: Sendable, Equatable {
    /// The id of the image.
    public var imageID: ImageID
    /// The name of the service.
    public var service: String
    /// The service's answer as it came, or the error object: JSON text in UTF-8.
    public var data: [UInt8]
    /// Whether `data` is an answer or an error.
    public var status: ResultStatus
    /// How many seconds the analysis took.
    public var processingTime: Double
    /// The id of the worker that wrote it, at most 50 characters.
    public var workerID: String
    /// The id of the job, unique within the image.
    public var jobID: UUID

    package init(
        imageID: ImageID, service: String, data: [UInt8], status: ResultStatus, processingTime: Double,
        workerID: String,
        jobID: UUID
    ) {
        self.imageID = imageID
        self.service = service
        self.data = data
        self.status = status
        self.processingTime = processingTime
        self.workerID = workerID
        self.jobID = jobID
    }
}

/// A row of `results` as it was read.
public struct StoredResult: Sendable, Equatable {
    /// `result_id`. The larger it is, the newer is the row.
    public var resultID: Int
    /// The id of the image.
    public var imageID: ImageID
    /// The name of the service.
    public var service: String
    /// The answer or the error, as JSON.
    public var data: JSON
    /// Whether `data` is an answer or an error.
    public var status: ResultStatus
    /// How many seconds the analysis took.
    public var processingTime: Double
    /// `result_created`.
    public var created: Date

    package init(
        resultID: Int, imageID: ImageID, service: String, data: JSON, status: ResultStatus, processingTime: Double,
        created: Date
    ) {
        self.resultID = resultID
        self.imageID = imageID
        self.service = service
        self.data = data
        self.status = status
        self.processingTime = processingTime
        self.created = created
    }
}
