import GRDB
import Model
import Pipeline

/// The queues in the file.
public final class EmbeddedQueue: JobQueue, QueueAdministration, QueueInspection {
    /// How many messages one transaction drops. Others wait for it.
    private static let purgeLimit = 5000

    private let hub: ConsumerHub
    private let activity = Activity()

    /// The queues of a file. Several values may share the file.
    public init(_ database: EmbeddedDatabase) { hub = database.hub }

    /// Adds the messages in one transaction: all or none.
    public func offer(_ messages: [Message]) async -> [Unpublished] {
        guard !messages.isEmpty else { return [] }
        let now = StoredTime.milliseconds(hub.time.now())
        do {
            try await hub.file.write(announced: true) { try QueueTable.insert(messages, at: now, $0) }
        } catch { return .all(of: messages, error, place: hub.file.place) }
        hub.announce(Set(messages.map(\.queue)), dueAt: nil)
        return []
    }

    /// Starts consuming. The first consumer of a process also starts renewing its lease.
    public func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        hub.open()
        return EmbeddedConsumer(queue: queue, prefetch: max(1, prefetch), hub: hub)
    }

    /// Does nothing: a queue of the file exists as soon as it holds a message.
    public func declare(_ queues: [String]) async throws {}

    /// The depths, which triggers keep.
    public func depths(of queues: [String]) async throws -> [QueueDepth] {
        try await hub.file.read { database in
            try queues.map { queue in
                let depth = try database.first("SELECT waiting, held, dead FROM farm_depths WHERE queue = ?", [queue]) {
                    QueueDepth(
                        queue: queue, waiting: $0.integer(0) ?? 0, inFlight: $0.integer(1) ?? 0,
                        dead: $0.integer(2) ?? 0)
                }
                return depth ?? QueueDepth(queue: queue, waiting: 0, inFlight: 0, dead: 0)
            }
        }
    }

    /// How long the first message that can be taken has waited: since it was published or, after a delay, since the
    /// delay ended.
    public func oldestAges(of queues: [String]) async throws -> [Double?] {
        let now = StoredTime.milliseconds(hub.time.now())
        return try await hub.file.read { database in
            try queues.map { queue in
                let due = try database.integer(
                    "SELECT min(due_at) FROM farm_queue WHERE queue = ? AND holder IS NULL AND delayed = 0", [queue])
                return due.map { Double(max(0, now - Int64($0))) / 1000 }
            }
        }
    }

    /// Workers of other processes announce what follows from a job.
    public func awaitActivity(upTo limit: Duration) async throws { try await activity.wait(upTo: limit, hub) }

    /// nil: if the file takes no messages, its faults say why.
    public func blockade() async throws -> String? { nil }

    /// The queues with a message that waits, is delayed, leased or dead.
    public func queueNames() async throws -> [String] {
        try await hub.file.read { database in
            try database.all("SELECT queue FROM farm_depths WHERE waiting > 0 OR held > 0 OR dead > 0 ORDER BY queue") {
                $0.text(0) ?? ""
            }
        }
    }

    /// Reads page by page. Nothing is taken.
    public func pass(through queue: String, _ part: QueuePart) async throws -> any QueueBrowsing {
        switch part {
        case .waiting:
            let newest = try await hub.file.read { try QueueTable.newest($0) }
            return EmbeddedBrowsing(WaitingMessages(queue: queue, newest: newest ?? 0), hub: hub)
        case .dead: return try await pass(throughDeadOf: queue, from: 0)
        }
    }

    /// Reads page by page, from the letter after that id.
    public func pass(throughDeadOf queue: String, from place: Int64) async throws -> any QueueBrowsing {
        let newest = try await hub.file.read { try DeadTable.newest(queue, $0) }
        return EmbeddedBrowsing(DeadMessages(queue: queue, start: place, newest: newest ?? 0), hub: hub)
    }

    /// Drops a few thousand messages.
    public func purge(_ queue: String) async throws -> Int {
        try await hub.file.write { try QueueTable.purge(queue, limit: EmbeddedQueue.purgeLimit, $0) }
    }
}
