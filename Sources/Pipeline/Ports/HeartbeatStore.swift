import Foundation
import Model

/// A worker that fell silent without saying `stopping`.
public struct DeadWorker: Sendable, Equatable {
    /// Its id, at most 50 characters.
    public var workerID: String
    /// The service, or the post-processing role.
    public var serviceName: String
    /// The machine, at most 50 characters.
    public var nodeHostname: String
    /// Its last heartbeat.
    public var lastSeen: Date
    /// Minutes since then.
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
    /// How many workers are alive.
    public var workers: Int
    /// The sum of their latest rates.
    public var jobsPerMinute: Double
    /// Jobs completed within the window, including those of workers that have ended since.
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

/// The live workers of one machine.
public struct NodeReport: Sendable, Equatable {
    /// The machine, at most 50 characters.
    public var nodeHostname: String
    /// How many workers are alive.
    public var workers: Int
    /// Their services, sorted.
    public var services: [String]

    package init(nodeHostname: String, workers: Int, services: [String]) {
        self.nodeHostname = nodeHostname
        self.workers = workers
        self.services = services
    }
}

/// A heartbeat with status `error`.
public struct WorkerError: Sendable, Equatable {
    /// When the heartbeat was written.
    public var timestamp: Date
    /// The id of the worker, at most 50 characters.
    public var workerID: String
    /// The service, or the post-processing role.
    public var serviceName: String
    /// The machine, at most 50 characters.
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
    /// Dead workers, the longest silent first.
    public var deadWorkers: [DeadWorker]
    /// Workers that fell silent, and that others have replaced since, the longest silent first.
    public var replacedWorkers: [DeadWorker]
    /// One entry for each service.
    public var performance: [ServicePerformance]
    /// One entry for each machine.
    public var nodes: [NodeReport]
    /// Errors, newest first.
    public var errors: [WorkerError]
    /// Ids that two live workers share.
    public var sharedIDs: [String]

    package init(
        deadWorkers: [DeadWorker] = [], replacedWorkers: [DeadWorker] = [], performance: [ServicePerformance] = [],
        nodes: [NodeReport] = [],
        errors: [WorkerError] = [], sharedIDs: [String] = []
    ) {
        self.deadWorkers = deadWorkers
        self.replacedWorkers = replacedWorkers
        self.performance = performance
        self.nodes = nodes
        self.errors = errors
        self.sharedIDs = sharedIDs
    }
}

/// The windows of a `MonitorReport`.
public struct MonitorWindows: Sendable, Equatable {
    /// A worker that is silent for longer counts as dead.
    public var deadThreshold: Duration
    /// The window for performance by service.
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

extension Heartbeat {
    /// How many rows a worker may have. After that it overwrites its oldest.
    package static let rowLimit = 1000
}

/// Heartbeats of workers. All methods throw `PortFault`.
public protocol HeartbeatStore: Sendable {
    /// Writes one row. A worker that has 1,000 rows overwrites its oldest.
    func record(_ heartbeat: Heartbeat) async throws

    /// Makes the monitor's report. A worker is dead if it has been silent for longer than the threshold but not for
    /// over 24 hours, did not say `stopping`, and has no live successor: a worker of its service on its machine that
    /// began after it and replaces no other one (`WorkerReplacement`).
    func report(_ windows: MonitorWindows) async throws -> MonitorReport
}
