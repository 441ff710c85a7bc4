import Foundation
import Logging
import Waiting

/// How a stage runs.
public struct StageOptions: Sendable {
    /// The queue it is of.
    public var queue: String
    /// Who wrote it; at most 50 characters.
    public var workerID: String
    /// How many deliveries may be unsettled at once.
    public var prefetch: Int
    /// Nothing is taken before all that was taken is settled, nor in the rest that follows. What is computed from the newest
    /// rows, whatever the trigger, is computed less often then, the more there is to do.
    public var gathers: Bool
    /// How long a drain waits for what is in flight before it is given back.
    public var drainLimit: Duration
    /// How long a passing fault of the queue is waited out while deliveries are held.
    public var patience: Duration
    /// How long answers are kept while the store takes no rows; then their jobs go back.
    public var holding: Duration
    /// The store's circuit breaker, which the stages of a process share.
    public var store: StoreGate
    /// Where time comes from.
    public var time: any Timekeeper
    /// Where the jitter of its waits comes from.
    public var randomness: Randomness
    /// What happens is told here; what a person should hear of goes to the log besides.
    public var events: EventStream
    /// Gives its work a place in traces.
    public var tracer: Tracer
    /// Where it says what happens.
    public var log: Logger

    package init(
        queue: String, workerID: String, prefetch: Int, gathers: Bool = false, drainLimit: Duration,
        patience: Duration = .seconds(200), holding: Duration = .seconds(60), store: StoreGate, time: any Timekeeper,
        randomness: @escaping Randomness = systemRandomness,
        events: EventStream, tracer: Tracer = .off, log: Logger
    ) {
        self.queue = queue
        self.workerID = workerID
        self.prefetch = prefetch
        self.gathers = gathers
        self.drainLimit = drainLimit
        self.patience = patience
        self.holding = holding
        self.store = store
        self.time = time
        self.randomness = randomness
        self.events = events.adding(EventLog(log))
        self.tracer = tracer
        self.log = log
    }
}

extension StageOptions {
    func retry(_ limit: Duration) -> Retry {
        Retry(limit: limit, time: time, randomness: randomness, log: log)
    }

    /// Waits, with answers in hand, until the store takes rows.
    /// - Returns: false if they were held for long enough, or a drain has begun.
    func isStoreBack(_ drain: Drain) async throws -> Bool {
        guard let since = store.since else { return true }
        // A wall clock that is set back must not make the wait longer.
        let left = min(holding, holding - .seconds(time.now().timeIntervalSince(since)))
        guard left > .zero, !drain.isBegun else { return false }
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await store.wait()
                return true
            }
            group.addTask {
                try await time.sleep(left)
                return false
            }
            group.addTask {
                await drain.wait()
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }
}
