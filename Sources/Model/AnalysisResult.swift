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
    public var imageID: ImageID
    public var service: String
    /// The service's answer as it came, or the error object; JSON text in UTF-8.
    public var data: [UInt8]
    public var status: ResultStatus
    /// Seconds.
    public var processingTime: Double
    public var workerID: String
    public var jobID: UUID

    public init(
        imageID: ImageID, service: String, data: [UInt8], status: ResultStatus, processingTime: Double, workerID: String,
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
    public var resultID: Int
    public var imageID: ImageID
    public var service: String
    public var data: JSON
    public var status: ResultStatus
    /// Seconds.
    public var processingTime: Double
    /// `result_created`.
    public var created: Date

    public init(
        resultID: Int, imageID: ImageID, service: String, data: JSON, status: ResultStatus, processingTime: Double, created: Date
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
