import Foundation

/// One sign of life of a worker: a row of `worker_heartbeats` (spec section 4).
public struct Heartbeat: Sendable, Equatable {
    public enum Status: String, Sendable, CaseIterable {
        case alive, starting, stopping, error
    }

    /// At most 50 characters, as the column.
    public var workerID: String
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var serviceName: String
    public var nodeHostname: String
    public var status: Status
    public var jobsCompleted: Int
    /// Since the last heartbeat.
    public var jobsPerMinute: Double
    public var lastJobTime: Date?
    public var queueDepth: Int?
    public var errorMessage: String?

    public init(
        workerID: String, serviceName: String, nodeHostname: String, status: Status, jobsCompleted: Int = 0,
        jobsPerMinute: Double = 0, lastJobTime: Date? = nil, queueDepth: Int? = nil, errorMessage: String? = nil
    ) {
        self.workerID = workerID
        self.serviceName = serviceName
        self.nodeHostname = nodeHostname
        self.status = status
        self.jobsCompleted = jobsCompleted
        self.jobsPerMinute = jobsPerMinute
        self.lastJobTime = lastJobTime
        self.queueDepth = queueDepth
        self.errorMessage = errorMessage
    }
}
