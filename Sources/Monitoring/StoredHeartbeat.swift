import Foundation

/// A row of `worker_heartbeats` as it was read.
package struct StoredHeartbeat: Sendable, Equatable {
    package var timestamp: Date
    package var workerID: String
    package var serviceName: String
    package var nodeHostname: String
    /// `alive`, `starting`, `stopping`, `error`.
    package var status: String
    package var jobsCompleted: Int
    package var jobsPerMinute: Double
    package var errorMessage: String?

    package init(
        timestamp: Date, workerID: String, serviceName: String, nodeHostname: String, status: String,
        jobsCompleted: Int,
        jobsPerMinute: Double, errorMessage: String?
    ) {
        self.timestamp = timestamp
        self.workerID = workerID
        self.serviceName = serviceName
        self.nodeHostname = nodeHostname
        self.status = status
        self.jobsCompleted = jobsCompleted
        self.jobsPerMinute = jobsPerMinute
        self.errorMessage = errorMessage
    }

    package var isStopping: Bool { status == "stopping" }
}
