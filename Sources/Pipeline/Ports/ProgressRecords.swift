/// What came in within one minute.
public struct MinuteCount: Sendable, Equatable {
    /// Seconds since the minute began.
    public var age: Double
    /// How many ended, well or for good.
    public var done: Int
    /// Of them, those that ended with an error.
    public var errors: Int

    package init(age: Double, done: Int, errors: Int = 0) {
        self.age = age
        self.done = done
        self.errors = errors
    }
}

/// How much waited in a queue at one moment.
public struct WaitingSample: Sendable, Equatable {
    /// Seconds since then.
    public var age: Double
    /// How many messages.
    public var waiting: Int

    package init(age: Double, waiting: Int) {
        self.age = age
        self.waiting = waiting
    }
}

/// The last hour.
public struct ProgressReport: Sendable, Equatable {
    /// Rows of `results` by service, whoever wrote them, newest minute first.
    public var services: [String: [MinuteCount]]
    /// What farm's workers and roles say that they have done, by queue, newest minute first.
    public var queues: [String: [MinuteCount]]
    /// What they have seen waiting, by queue, newest first.
    public var samples: [String: [WaitingSample]]

    package init(
        services: [String: [MinuteCount]] = [:], queues: [String: [MinuteCount]] = [:],
        samples: [String: [WaitingSample]] = [:]
    ) {
        self.services = services
        self.queues = queues
        self.samples = samples
    }
}

/// How fast the work goes on, in tables of farm's own: by minutes, for the last hour. Ages are the database's. All throw
/// `PortFault`.
public protocol ProgressRecords: Sendable {
    /// Notes, for this process, how much waits in a queue now, and adds to what it has done there. What is older than two
    /// hours goes.
    func note(waiting: Int, done: Int, in queue: String) async throws

    /// The last hour, as it was written and noted.
    func progress() async throws -> ProgressReport
}
