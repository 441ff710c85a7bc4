import Foundation

/// A heartbeat of a worker: a row of `worker_heartbeats` (spec section 4).
public struct Heartbeat: Sendable, Equatable {
    /// What the worker says about itself.
    public enum Status: String, Sendable, CaseIterable {
        case alive, starting, stopping, error
    }

    /// The id of the worker, at most 50 characters, as the column.
    public var workerID: String
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var serviceName: String
    /// The machine, at most 50 characters.
    public var nodeHostname: String
    /// What the worker says about itself.
    public var status: Status
    /// The number of jobs since the worker began.
    public var jobsCompleted: Int
    /// The rate since the last heartbeat.
    public var jobsPerMinute: Double
    /// When the worker settled its last job.
    public var lastJobTime: Date?
    /// How many jobs are waiting or in flight.
    public var queueDepth: Int?
    /// What went wrong.
    public var errorMessage: String?

    package init(
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
