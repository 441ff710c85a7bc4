import Foundation
import Logging
import Model

/// The one loop of every consuming role: admit → handle → commit → publish (confirmed) → acknowledge, in groups.
///
/// While one group commits the next one gathers, so load decides the size of a group, no timer. A crash between any two
/// steps is followed by a redelivery that changes nothing or finishes the work.
public struct Stage<Handler: StageHandler>: Sendable {
    private typealias Element = (work: Handler.Work, outcome: Handler.Outcome)

    private struct Item: Sendable {
        var key: Handler.Key
        var receipts: [Receipt]
        var work: Handler.Work
    }

    private struct Ready: Sendable {
        var key: Handler.Key
        var receipts: [Receipt]
        var work: Handler.Work
        var outcome: Handler.Outcome
    }

    private enum Settling: Sendable {
        case handled(Ready)
        case admitted(Receipt, Verdict)
    }

    let options: StageOptions
    let queue: any JobQueue
    let handler: Handler

    package init(_ options: StageOptions, queue: any JobQueue, handler: Handler) {
        self.options = options
        self.queue = queue
        self.handler = handler
    }

    /// Runs until the drain is done.
    /// - Throws: `PortFault` when queue or store stay unusable; what was taken is given back.
    public func run(_ drain: Drain) async throws {
        let consumer = try await queue.consume(options.queue, prefetch: options.prefetch)
        let works = Mailbox<Item>()
        let ready = Mailbox<Settling>()
        let turns = Turns<Handler.Key>()
        let recess = Recess()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { works.finish() }
                    _ = try await drain.until { try await intake(consumer, works, ready, turns, recess) }
                }
                group.addTask {
                    defer { ready.finish() }
                    await dispatch(works, ready, drain)
                }
                group.addTask {
                    try await settle(consumer, ready) { receipts, keys in
                        recess.settled(receipts)
                        guard handler.handlesOneAtATime else { return }
                        let deliveries = turns.end(keys)
                        // During a drain they go back with all else that was not begun.
                        guard !drain.isBegun else { return }
                        sort(try await admitting(deliveries), of: deliveries, works, ready, turns)
                    }
                }
                // Unlike waitForAll, the first failure cancels the others.
                for try await _ in group {}
            }
        } catch {
            await consumer.close()
            throw error
        }
        await consumer.close()
    }

    // MARK: Intake

    private func intake(
        _ consumer: any JobConsumer, _ works: Mailbox<Item>, _ ready: Mailbox<Settling>, _ turns: Turns<Handler.Key>,
        _ recess: Recess
    ) async throws {
        while true {
            let limit = try await permits(consumer)
            let deliveries = try await retrying("taking jobs") {
                try await consumer.next(upTo: min(limit, options.prefetch))
            }
            let begin = options.time.now()
            recess.took(deliveries.count)
            // Not tried again as a whole: the next deliveries would be taken and these forgotten.
            sort(try await admitting(deliveries), of: deliveries, works, ready, turns)
            guard options.gathers, !deliveries.isEmpty else { continue }
            await recess.begin()
            let rest = Recess.rest(after: deliveries.count, seconds: options.time.now().timeIntervalSince(begin))
            if rest > .zero { try await options.time.sleep(rest) }
        }
    }

    /// What was fetched ahead goes back while nothing may be taken, so that it is not held unacknowledged.
    private func permits(_ consumer: any JobConsumer) async throws -> Int {
        if handler.takesFreely { return .max }
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask { try await handler.permits() }
            group.addTask {
                try await options.time.sleep(.seconds(1))
                return nil
            }
            defer { group.cancelAll() }
            while let finished = try await group.next() {
                if let finished { return finished }
                try await consumer.pause()
            }
            throw CancellationError()
        }
    }

    /// Deliveries are in our hands already: a store that is away for a moment must not make them wait for a lease.
    private func admitting(_ deliveries: [Delivery]) async throws -> [Admission<Handler.Key, Handler.Work>] {
        guard !deliveries.isEmpty else { return [] }
        return try await retrying("admitting \(deliveries.count) deliveries") { try await handler.admit(deliveries) }
    }

    private func sort(
        _ admissions: [Admission<Handler.Key, Handler.Work>], of deliveries: [Delivery], _ works: Mailbox<Item>,
        _ ready: Mailbox<Settling>, _ turns: Turns<Handler.Key>
    ) {
        var items: [Item] = []
        var places: [Handler.Key: Int] = [:]
        var settled: [Settling] = []
        for (delivery, admission) in zip(deliveries, admissions) {
            switch admission {
            case .settled(let verdict): settled.append(.admitted(delivery.receipt, verdict))
            case .work(let key, let work):
                if let place = places[key] {
                    items[place].receipts.append(delivery.receipt)
                } else if !handler.handlesOneAtATime || turns.begin(key, delivery) {
                    places[key] = items.count
                    items.append(Item(key: key, receipts: [delivery.receipt], work: work))
                }
            }
        }
        ready.append(settled)
        works.append(items)
    }

    // MARK: Handling

    /// When a drain runs out of time the handlers are cancelled; their work goes back.
    private func dispatch(_ works: Mailbox<Item>, _ ready: Mailbox<Settling>, _ drain: Drain) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await drain.wait()
                try? await options.time.sleep(options.drainLimit)
            }
            group.addTask {
                await withDiscardingTaskGroup { handlers in
                    while case let items = await works.takeAll(), !items.isEmpty {
                        for item in items {
                            handlers.addTask {
                                let outcome = await handler.handle(item.work)
                                ready.append([
                                    .handled(
                                        Ready(
                                            key: item.key, receipts: item.receipts, work: item.work, outcome: outcome))
                                ])
                            }
                        }
                    }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: Settling

    private func settle(
        _ consumer: any JobConsumer, _ ready: Mailbox<Settling>, then ended: (Int, [Handler.Key]) async throws -> Void
    ) async throws {
        while case let group = await ready.takeAll(), !group.isEmpty {
            var verdicts: [(receipts: [Receipt], verdict: Verdict)] = []
            var handled: [Ready] = []
            for settling in group {
                switch settling {
                case .admitted(let receipt, let verdict): verdicts.append(([receipt], verdict))
                case .handled(let item): handled.append(item)
                }
            }
            let judged = try await commit(handled)
            verdicts += zip(handled, judged).map { ($0.receipts, $1) }
            try await settle(verdicts, consumer)
            try await ended(verdicts.reduce(0) { $0 + $1.receipts.count }, handled.map { $0.key })
        }
    }

    /// One transaction for the group. If the store refuses its values, each is tried alone, so that one bad value
    /// cannot hold up the rest: it is buried.
    private func commit(_ group: [Ready]) async throws -> [Verdict] {
        guard !group.isEmpty else { return [] }
        do {
            return try await retrying("storing \(group.count) results") {
                try await handler.commit(group.map { ($0.work, $0.outcome) })
            }
        } catch let fault as PortFault where fault.kind == .refused {
            guard group.count == 1 else {
                var verdicts: [Verdict] = []
                for item in group { verdicts += try await commit([item]) }
                return verdicts
            }
            let letter = DeadLetter(
                reason: "refused", message: fault.description, tries: 1, workerID: options.workerID,
                firstFailure: options.time.now())
            return [Verdict(.dead(letter))]
        }
    }

    private func settle(_ verdicts: [(receipts: [Receipt], verdict: Verdict)], _ consumer: any JobConsumer) async throws
    {
        let messages = verdicts.flatMap { $0.verdict.publish }
        if !messages.isEmpty {
            try await retrying("publishing \(messages.count) messages") { try await queue.publish(messages) }
        }
        var done: [Receipt] = []
        var dead: [(receipt: Receipt, letter: DeadLetter)] = []
        var back: [Duration: [Receipt]] = [:]
        for (receipts, verdict) in verdicts {
            switch verdict.fate {
            case .done: done += receipts
            case .dead(let letter):
                dead += receipts.prefix(1).map { ($0, letter) }
                // The same job twice in one batch is one dead letter.
                done += receipts.dropFirst()
                options.activity.failed("\(letter.reason): \(letter.message)")
                options.log.warning("a job of \(options.queue) is dead: \(letter.reason): \(letter.message)")
            case .back(let delay): back[delay, default: []] += receipts
            }
        }
        let (acknowledged, buried, returned) = (done, dead, back)
        try await retrying("acknowledging") {
            if !acknowledged.isEmpty { try await consumer.acknowledge(acknowledged) }
            if !buried.isEmpty { try await consumer.bury(buried) }
            for (delay, receipts) in returned { try await consumer.giveBack(receipts, after: delay) }
        }
        options.activity.completed(done.count + dead.count, at: options.time.now())
    }

    // MARK: Faults

    /// Nothing is held longer than the broker allows: then the fault is thrown, the role ends and what it took goes back.
    private func retrying<Value: Sendable>(
        _ what: String, _ operation: () async throws -> Value
    ) async throws -> Value {
        try await Persistence(
            limit: options.patience, time: options.time, randomness: options.randomness, log: options.log
        ).run(what, operation)
    }
}

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
    /// How long a passing fault of queue or store is waited out while deliveries are held.
    public var patience: Duration
    /// Where time comes from.
    public var time: any Timekeeper
    /// Where the jitter of its waits comes from.
    public var randomness: Randomness
    /// What the heartbeats tell.
    public var activity: WorkerActivity
    /// Where it says what happens.
    public var log: Logger

    package init(
        queue: String, workerID: String, prefetch: Int, gathers: Bool = false, drainLimit: Duration,
        patience: Duration = .seconds(200), time: any Timekeeper, randomness: @escaping Randomness = systemRandomness,
        activity: WorkerActivity, log: Logger
    ) {
        self.queue = queue
        self.workerID = workerID
        self.prefetch = prefetch
        self.gathers = gathers
        self.drainLimit = drainLimit
        self.patience = patience
        self.time = time
        self.randomness = randomness
        self.activity = activity
        self.log = log
    }
}
