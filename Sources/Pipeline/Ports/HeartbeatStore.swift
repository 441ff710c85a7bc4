import Foundation
import Model

/// A worker that fell silent without saying `stopping`.
public struct DeadWorker: Sendable, Equatable {
    /// Who wrote it; at most 50 characters.
    public var workerID: String
    /// The service, or the post-processing role.
    public var serviceName: String
    /// The box; at most 50 characters.
    public var nodeHostname: String
    /// Its last heartbeat.
    public var lastSeen: Date
    /// Since then.
    public var minutesSilent: Double

    package init(workerID: String, serviceName: String, nodeHostname: String, lastSeen: Date, minutesSilent: Double) {
        self.workerID = workerID
        self.serviceName = serviceName
        self.nodeHostname = nodeHostname
        self.lastSeen = lastSeen
        self.minutesSilent = minutesSilent
    }
}

/// What a service's workers did within the window.
public struct ServicePerformance: Sendable, Equatable {
    /// The service, or the post-processing role.
    public var serviceName: String
    /// How many are alive.
    public var workers: Int
    /// Their latest rates, added up.
    public var jobsPerMinute: Double
    /// Within the window, also by those that have ended since.
    public var jobsCompleted: Int
    /// The newest heartbeat of the service.
    public var lastUpdate: Date

    package init(serviceName: String, workers: Int, jobsPerMinute: Double, jobsCompleted: Int, lastUpdate: Date) {
        self.serviceName = serviceName
        self.workers = workers
        self.jobsPerMinute = jobsPerMinute
        self.jobsCompleted = jobsCompleted
        self.lastUpdate = lastUpdate
    }
}

/// The live workers of one box.
public struct NodeReport: Sendable, Equatable {
    /// The box; at most 50 characters.
    public var nodeHostname: String
    /// How many.
    public var workers: Int
    /// Sorted.
    public var services: [String]

    package init(nodeHostname: String, workers: Int, services: [String]) {
        self.nodeHostname = nodeHostname
        self.workers = workers
        self.services = services
    }
}

/// A heartbeat with status `error`.
public struct WorkerError: Sendable, Equatable {
    /// When it said so.
    public var timestamp: Date
    /// Who wrote it; at most 50 characters.
    public var workerID: String
    /// The service, or the post-processing role.
    public var serviceName: String
    /// The box; at most 50 characters.
    public var nodeHostname: String
    /// One line for people, with the place and the cause; never a secret.
    public var message: String

    package init(timestamp: Date, workerID: String, serviceName: String, nodeHostname: String, message: String) {
        self.timestamp = timestamp
        self.workerID = workerID
        self.serviceName = serviceName
        self.nodeHostname = nodeHostname
        self.message = message
    }
}

/// What `farm monitor` shows.
public struct MonitorReport: Sendable, Equatable {
    /// Longest silent first.
    public var deadWorkers: [DeadWorker]
    /// By service.
    public var performance: [ServicePerformance]
    /// By box.
    public var nodes: [NodeReport]
    /// Newest first.
    public var errors: [WorkerError]
    /// Ids that two live workers share.
    public var sharedIDs: [String]

    package init(
        deadWorkers: [DeadWorker] = [], performance: [ServicePerformance] = [], nodes: [NodeReport] = [],
        errors: [WorkerError] = [], sharedIDs: [String] = []
    ) {
        self.deadWorkers = deadWorkers
        self.performance = performance
        self.nodes = nodes
        self.errors = errors
        self.sharedIDs = sharedIDs
    }
}

/// The windows of a `MonitorReport`.
public struct MonitorWindows: Sendable, Equatable {
    /// Silent for longer is dead.
    public var deadThreshold: Duration
    /// By service.
    public var performance: Duration
    /// How far back errors are shown.
    public var errors: Duration

    package init(
        deadThreshold: Duration = .seconds(300), performance: Duration = .seconds(600),
        errors: Duration = .seconds(3600)
    ) {
        self.deadThreshold = deadThreshold
        self.performance = performance
        self.errors = errors
    }
}

/// Signs of life. All throw `PortFault`.
public protocol HeartbeatStore: Sendable {
    /// Writes one row; a worker that has 1,000 overwrites its oldest.
    func record(_ heartbeat: Heartbeat) async throws

    /// Dead: silent for longer than the threshold, did not say `stopping`, not silent for over 24 h, and no live
    /// successor: one of its service on its host that began after it and took no other's place (`WorkerReplacement`).
    func report(_ windows: MonitorWindows) async throws -> MonitorReport
}
