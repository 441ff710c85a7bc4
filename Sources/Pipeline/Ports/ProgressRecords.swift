/// How much work ended within one minute.
public struct MinuteCount: Sendable, Equatable {
    /// Seconds since the minute began.
    public var age: Double
    /// How many jobs ended, with success or for good.
    public var done: Int
    /// How many of them ended with an error.
    public var errors: Int

    package init(age: Double, done: Int, errors: Int = 0) {
        self.age = age
        self.done = done
        self.errors = errors
    }
}

/// How many messages waited in a queue at one moment.
public struct WaitingSample: Sendable, Equatable {
    /// Seconds since that moment.
    public var age: Double
    /// How many messages waited.
    public var waiting: Int

    package init(age: Double, waiting: Int) {
        self.age = age
        self.waiting = waiting
    }
}

/// The progress of the last hour.
public struct ProgressReport: Sendable, Equatable {
    /// New rows of `results` by service, whoever wrote them, newest minute first.
    public var services: [String: [MinuteCount]]
    /// What farm's workers and roles noted as done, by queue, newest minute first.
    public var queues: [String: [MinuteCount]]
    /// How many messages they saw waiting, by queue, newest first.
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

/// How fast the work goes on, in farm's own tables: by the minute, for the last hour. Ages are measured by the
/// database's clock. All methods throw `PortFault`.
public protocol ProgressRecords: Sendable {
    /// Notes for this process how many messages wait in a queue now, and adds to what it has done there. Notes that are
    /// older than two hours are deleted.
    func note(waiting: Int, done: Int, in queue: String) async throws

    /// The last hour, from rows and notes.
    func progress() async throws -> ProgressReport
}
