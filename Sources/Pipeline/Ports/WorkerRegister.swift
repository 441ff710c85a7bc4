import Foundation

/// Whether a worker takes work and, if not, why.
public struct WorkerCondition: Sendable, Hashable {
    /// The kinds of conditions, as the table has them.
    public enum State: String, Sendable, CaseIterable {
        case working
        /// Its service is down, so its jobs stay in the queue.
        case serviceDown = "service_down"
        /// The store would take no row from it.
        case storeRefusing = "store_refusing"
        /// It has failed, and is started again after a while.
        case failed
        /// It ends what it has begun, and takes nothing new.
        case stopping
        /// A state that a newer farm wrote and this one does not know.
        case unknown
    }

    /// The kind of condition.
    public var state: State
    /// The cause, one line for people, never a secret: `connection refused`.
    public var reason: String?

    package init(_ state: State, reason: String? = nil) {
        self.state = state
        self.reason = reason
    }
}

/// What a worker tells of its work beside its condition. All is nil if an older farm wrote the row.
public struct WorkerFigures: Sendable, Equatable {
    /// The version of farm.
    public var version: String?
    /// How many calls its service gets from it at once, at most. nil for a role that calls no service of its own.
    public var concurrency: Int?
    /// Jobs that it has settled for good since it began.
    public var completed: Int?
    /// Jobs per second, over its last minute or two.
    public var rate: Double?
    /// When it settled its last job.
    public var lastJob: Date?

    package init(
        version: String? = nil, concurrency: Int? = nil, completed: Int? = nil, rate: Double? = nil,
        lastJob: Date? = nil
    ) {
        self.version = version
        self.concurrency = concurrency
        self.completed = completed
        self.rate = rate
        self.lastJob = lastJob
    }
}

/// A live worker of one queue, or a live post-processing role.
public struct RegisteredWorker: Sendable, Equatable {
    /// The same id as in heartbeats and rows.
    public var workerID: String
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var service: String
    /// The machine.
    public var host: String
    /// The queue that it consumes.
    public var queue: String
    /// Its condition.
    public var condition: WorkerCondition
    /// The process it runs in, if the system told.
    public var process: ProcessIdentity?
    /// The revision of `farm_control` that it obeys for its service. nil if an older farm wrote the row.
    public var revision: Int?
    /// What it tells of its work.
    public var figures: WorkerFigures

    package init(
        workerID: String, service: String, host: String, queue: String, condition: WorkerCondition,
        process: ProcessIdentity? = nil, revision: Int? = nil, figures: WorkerFigures = WorkerFigures()
    ) {
        self.workerID = workerID
        self.service = service
        self.host = host
        self.queue = queue
        self.condition = condition
        self.process = process
        self.revision = revision
        self.figures = figures
    }

    /// Whether its process is known to have ended.
    package var isGone: Bool { process?.isGone ?? false }

    /// The same, as one that has been silent for so many seconds.
    package func silent(for seconds: Double, now: Date) -> DeadWorker {
        DeadWorker(
            workerID: workerID, serviceName: service, nodeHostname: host, lastSeen: now.addingTimeInterval(-seconds),
            minutesSilent: seconds / 60)
    }
}

/// When a service's workers on a machine were last seen.
public struct SeenWorkers: Sendable, Equatable {
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var service: String
    /// The machine.
    public var host: String
    /// Seconds since the newest sign of life of any of them.
    public var age: Double

    package init(service: String, host: String, age: Double) {
        self.service = service
        self.host = host
        self.age = age
    }
}

/// The live workers, in farm's own table `farm_workers`, with a row for each process and queue. Ages are measured by
/// the database's clock. All methods throw `PortFault`.
public protocol WorkerRegister: Sendable {
    /// Writes that a worker of this process is alive, and its condition. Deletes rows of other workers that were last
    /// seen a day ago.
    /// - Parameter silence: how long the worker may be silent and still count as alive.
    func register(_ worker: RegisteredWorker, silence: Duration) async throws

    /// Removes the row of this process's worker of a queue, which has ended.
    func unregister(queue: String) async throws

    /// The live workers, by service, machine and id. Workers whose process was killed on this machine are left out.
    func liveWorkers() async throws -> [RegisteredWorker]

    /// Workers that have fallen silent without saying that they stop, and were last seen no longer ago than that, the
    /// longest silent first. Workers whose process was killed on this machine are among them at once.
    func silentWorkers(since age: Duration) async throws -> [DeadWorker]

    /// When workers that have not reported their end were last seen, including silent ones, by service and machine.
    func seenWorkers() async throws -> [SeenWorkers]
}
