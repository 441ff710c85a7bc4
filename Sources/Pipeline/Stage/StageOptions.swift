import Foundation
import Logging
import Waiting

/// How a stage runs.
public struct StageOptions: Sendable {
    /// The name of the queue.
    public var queue: String
    /// The id of the worker, at most 50 characters.
    public var workerID: String
    /// How many deliveries may be unsettled at once. nil: the stage finds it by its pace, from `concurrency` on.
    public var prefetch: Int?
    /// How much work goes on at once. What operators have set replaces it. nil: as much as was taken.
    public var concurrency: Int?
    /// Whether the stage settles everything it has taken, but for what it holds back, and then pauses, before it takes more.
    /// Merger and consensus
    /// compute from the newest rows, whichever trigger they got, so the more there is to do, the less often they
    /// compute.
    public var gathers: Bool
    /// How long a drain waits for what is in flight before it is given back.
    public var drainLimit: Duration
    /// How long the stage waits for a passing fault of the queue while it holds deliveries.
    public var patience: Duration
    /// How long answers are kept while the store takes no rows. After that their jobs go back.
    public var holding: Duration
    /// The store's circuit breaker, which the stages of a process share.
    public var store: StoreGate
    /// What operators have set for whoever takes from this queue.
    public var control: ControlGate
    /// Where time comes from.
    public var time: any Timekeeper
    /// The source of the jitter in its waits.
    public var randomness: Randomness
    /// Receives what happens. What a person should know goes to the log as well.
    public var events: EventStream
    /// Records the spans of its work.
    public var tracer: Tracer
    /// The log.
    public var log: Logger

    package init(
        queue: String, workerID: String, prefetch: Int?, concurrency: Int? = nil, gathers: Bool = false,
        drainLimit: Duration,
        patience: Duration = .seconds(200), holding: Duration = .seconds(60), store: StoreGate,
        control: ControlGate = .free(), time: any Timekeeper,
        randomness: @escaping Randomness = systemRandomness,
        events: EventStream, tracer: Tracer = .off, log: Logger
    ) {
        self.queue = queue
        self.workerID = workerID
        self.prefetch = prefetch
        self.concurrency = concurrency
        self.gathers = gathers
        self.drainLimit = drainLimit
        self.patience = patience
        self.holding = holding
        self.store = store
        self.control = control
        self.time = time
        self.randomness = randomness
        self.events = events.adding(EventLog(log))
        self.tracer = tracer
        self.log = log
    }
}

extension StageOptions {
    /// How many seconds work that was taken may wait until it is begun. After that it goes back.
    static let longestWait = 30.0

    /// How much work goes on at once now. nil: as much as was taken.
    var presentConcurrency: Int? { concurrency.map { control.control?.concurrency ?? $0 } }

    /// How many pieces of work are begun and not handled. While some are worked on, as many are made ready. nil: as many as were
    /// taken.
    var mostBegun: Int? { presentConcurrency.map { 2 * $0 } }

    /// How many deliveries may be unsettled now.
    func presentPrefetch(_ pace: Pace) -> Int { prefetch ?? pace.prefetch(atLeast: presentConcurrency ?? 1) }

    func retry(_ limit: Duration) -> Retry {
        Retry(limit: limit, time: time, randomness: randomness, log: log)
    }

    /// Waits, with answers in hand, until the store takes rows.
    /// - Returns: false if they were held for long enough, or if a drain has begun.
    func isStoreBack(_ drain: Drain) async throws -> Bool {
        guard let since = store.since else { return true }
        // If the wall clock is set back, the wait must not become longer.
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
