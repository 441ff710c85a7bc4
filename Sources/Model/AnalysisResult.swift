import Foundation

/// `results.status`, `postprocessing.status`.
public enum ResultStatus: String, Sendable {
    case success
    case error
    /// Enrichments only: an answer without predictions.
    case empty
}

/// A row of `results` that is to be written.
public struct AnalysisResult: Sendable, Equatable {
    /// The row of `images`.
    public var imageID: ImageID
    /// The service it is of.
    public var service: String
    /// The service's answer as it came, or the error object; JSON text in UTF-8.
    public var data: [UInt8]
    /// How it ended.
    public var status: ResultStatus
    /// Seconds.
    public var processingTime: Double
    /// Who wrote it; at most 50 characters.
    public var workerID: String
    /// The job; unique with the image.
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
    /// `result_id`: the larger, the newer.
    public var resultID: Int
    /// The row of `images`.
    public var imageID: ImageID
    /// The service it is of.
    public var service: String
    /// What is stored, as JSON.
    public var data: JSON
    /// How it ended.
    public var status: ResultStatus
    /// Seconds.
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
