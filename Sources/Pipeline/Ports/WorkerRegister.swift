/// Whether a worker takes work, and if not, why.
public struct WorkerCondition: Sendable, Hashable {
    /// The kinds of conditions, as the table has them.
    public enum State: String, Sendable, CaseIterable {
        case working
        /// Its service is down, so that its jobs stay in the queue.
        case serviceDown = "service_down"
        /// The store would take no row of its.
        case storeRefusing = "store_refusing"
        /// It has failed, and is started again after a while.
        case failed
        /// What a newer farm wrote and this one does not know.
        case unknown
    }

    /// The kind.
    public var state: State
    /// The cause, one line for people, never a secret: `connection refused`.
    public var reason: String?

    package init(_ state: State, reason: String? = nil) {
        self.state = state
        self.reason = reason
    }
}

/// A worker of one queue, or a post-processing role, that is alive.
public struct RegisteredWorker: Sendable, Equatable {
    /// As in heartbeats and rows.
    public var workerID: String
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var service: String
    /// The box.
    public var host: String
    /// What it takes from.
    public var queue: String
    /// How it is.
    public var condition: WorkerCondition
    /// The process it runs in, where the system told.
    public var process: ProcessIdentity?

    package init(
        workerID: String, service: String, host: String, queue: String, condition: WorkerCondition,
        process: ProcessIdentity? = nil
    ) {
        self.workerID = workerID
        self.service = service
        self.host = host
        self.queue = queue
        self.condition = condition
        self.process = process
    }

    /// Whether its process is known to have ended.
    package var isGone: Bool { process?.isGone ?? false }
}

/// When a service's workers on a box were last seen.
public struct SeenWorkers: Sendable, Equatable {
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var service: String
    /// The box.
    public var host: String
    /// Since the newest sign of life of any of them, in seconds.
    public var age: Double

    package init(service: String, host: String, age: Double) {
        self.service = service
        self.host = host
        self.age = age
    }
}

/// Who is alive, in a table of farm's own (`farm_workers`): a row for each process and queue. Ages are the database's. All
/// throw `PortFault`.
public protocol WorkerRegister: Sendable {
    /// Writes that a worker of this process is alive, and how it is. Rows of others that were last seen a day ago go.
    /// - Parameter silence: how long it may say nothing and still count as alive.
    func register(_ worker: RegisteredWorker, silence: Duration) async throws

    /// This process' worker of a queue has ended.
    func unregister(queue: String) async throws

    /// Who is alive, by service, host and id; without those whose process was killed on this machine.
    func liveWorkers() async throws -> [RegisteredWorker]

    /// When those were last seen that have not said that they end, also the silent ones, by service and host.
    func seenWorkers() async throws -> [SeenWorkers]
}
