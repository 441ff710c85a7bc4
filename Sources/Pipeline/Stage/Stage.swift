import Foundation
import Logging
import Model
import Waiting

/// The loop of every role that consumes a queue: admit → handle → commit → publish (confirmed) → acknowledge, in
/// groups.
///
/// While one group commits, the next one gathers. So the load decides how large a group is, and there is no timer.
/// After a crash between any two steps the delivery comes again, and either changes nothing or finishes the work.
public struct Stage<Handler: StageHandler>: Sendable {
    struct Item: Sendable {
        var key: Handler.Key
        var receipts: [Receipt]
        var work: Handler.Work
        /// When the first of its deliveries was taken.
        var taken: Date
        /// The spans that it follows from.
        var causes: [TraceContext]
        /// Its own span if that is recorded, otherwise the span that it follows from. It is passed on in messages.
        var trace: TraceContext?
    }

    enum Settling: Sendable {
        case handled(Item, Handler.Outcome)
        /// The store failed, or the service was paused, before the work was begun.
        case withheld(Item)
        case admitted(Receipt, Verdict, Settlement<Handler.Key>.Origin)
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
    /// - Throws: `PortFault` if the queue or the store stays unusable. What was taken is given back.
    public func run(_ drain: Drain) async throws {
        // For a store that takes no rows, nothing is taken and no service is called.
        guard try await drain.until({ try await options.store.prove(handler.plainRow) }) != nil else { return }
        let pace = Pace()
        let prefetch = options.presentPrefetch(pace)
        let consumer = try await queue.consume(options.queue, prefetch: prefetch)
        options.events.tell(.began(prefetch: prefetch))
        let course = Course(consumer, prefetch: prefetch, pace, drain, handler)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { course.works.finish() }
                    _ = try await drain.until { try await takeUnlessPaused(course) }
                    withholdUnbegun(course)
                    // If it were not paused, every settlement would make room for more deliveries. A quorum queue
                    // counts deliveries that are on their way when the consumer ends as given back.
                    try? await consumer.pause()
                }
                group.addTask {
                    defer { course.ready.finish() }
                    await dispatch(course)
                }
                let settlement = settlement(course) { keys in
                    guard handler.handlesOneAtATime else { return }
                    let deliveries = course.inHand.end(keys)
                    // During a drain they go back with everything else that was not begun.
                    guard !drain.isBegun else { return }
                    guard let admissions = try await admitting(deliveries, course) else { return }
                    sort(admissions, of: deliveries, takenAt: options.time.now(), course)
                }
                group.addTask {
                    defer { settlement.finish() }
                    try await settle(settlement, course)
                }
                group.addTask { try await settlement.insist() }
                // Unlike with waitForAll, the first failure cancels the others.
                for try await _ in group {}
            }
        } catch {
            await consumer.close()
            throw error
        }
        await consumer.close()
    }

    // MARK: Intake

    func intake(_ course: Course) async throws {
        var purse = TokenPurse(options)
        // After a pause, what was taken before it may still be in hand.
        if options.gathers { await course.pause.begin() }
        while true {
            try Task.checkCancellation()
            let permits = try await permits(course)
            var limit = max(1, min(permits, try await adjustPrefetch(course)))
            let allowance = try await purse.allowance(upTo: limit) { try await course.consumer.pause() }
            limit = min(limit, allowance ?? limit)
            let validity = [allowance.map { _ in purse.validity }, course.holdback.rest(at: options.time.now())]
                .compactMap(\.self).min()
            guard let deliveries = try await take(limit, course.consumer, within: validity) else { continue }
            assert(deliveries.count <= limit, "a queue gives no more than it is asked for")
            purse.spend(deliveries.count)
            if !deliveries.isEmpty { options.events.tell(.taken(deliveries.count)) }
            let begin = options.time.now()
            course.unadmitted.append(deliveries)
            // Not tried again as a whole: that would take the next deliveries and forget these.
            let admissions = try await admitting(deliveries, course)
            _ = course.unadmitted.takeReady()
            guard let admissions else { continue }
            sort(admissions, of: deliveries, takenAt: begin, course)
            if options.gathers { try await gather(course, taken: deliveries.count, since: begin) }
        }
    }

    /// Begins what is due, waits until it is settled, and lets more gather.
    private func gather(_ course: Course, taken: Int, since begin: Date) async throws {
        // What is held takes at most half of the prefetch, so that there is room for what completes it.
        let due = course.holdback.takeDue(at: begin, room: course.prefetch.read { $0 } / 2)
        self.begin(due, course)
        await course.pause.begin()
        // What is held back was taken and admitted, too.
        let deliveries = max(taken, due.reduce(0) { $0 + $1.receipts.count })
        let rest = GatheringPause.rest(
            after: deliveries, seconds: options.time.now().timeIntervalSince(begin))
        if rest > .zero { try await options.time.sleep(rest) }
    }

    /// While nothing may be taken, prefetched deliveries go back, so that they are not held unacknowledged.
    private func permits(_ course: Course) async throws -> Int {
        if handler.takesFreely && options.store.isClosed { return .max }
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask {
                let limit = try await options.store.permits(handler.plainRow)
                return min(limit, try await handler.permits())
            }
            group.addTask {
                try await options.time.sleep(.seconds(1))
                return nil
            }
            defer { group.cancelAll() }
            while let finished = try await group.next() {
                if let finished { return finished }
                // The embedded queue is in the store's file, and may fail with it.
                withholdHeld(course)
                do { try await course.consumer.pause() } catch is PortFault where options.store.outage != nil {}
            }
            throw CancellationError()
        }
    }

    /// - Returns: nil if the queue is in the store's file, and the file takes nothing any more.
    private func take(
        _ limit: Int, _ consumer: any JobConsumer, within validity: Duration?
    ) async throws -> [Delivery]? {
        do {
            return try await retrying("taking jobs") { try await next(consumer, upTo: limit, within: validity) }
        } catch let fault as PortFault where fault.kind == .unusable {
            guard try await options.store.refuses(handler.plainRow, of: nil) else { throw fault }
            return nil
        }
    }

    /// - Returns: nil if the store cannot be asked, or takes nothing, or the service is paused. Then the deliveries are given
    ///   back.
    private func admitting(
        _ deliveries: [Delivery], _ course: Course
    ) async throws -> [Admission<Handler.Key, Handler.Work>]? {
        guard !deliveries.isEmpty else { return [] }
        if options.store.outage == nil, !options.control.isPaused {
            do {
                return try await storing("admitting \(deliveries.count) deliveries") {
                    try await handler.admit(deliveries)
                }
            } catch let fault as PortFault {
                options.events.tell(.storeFailed(fault.kind))
                options.store.open(fault, handler.plainRow)
            }
        }
        try await giveBack(deliveries, course)
        return nil
    }

    func giveBack(_ deliveries: [Delivery], _ course: Course) async throws {
        try await queueing("giving back", course.drain) {
            try await course.consumer.giveBack(deliveries.map(\.receipt), after: .zero)
        }
        options.events.tell(.settled(Settled(.givenBack, count: deliveries.count, date: options.time.now())))
    }

    private func sort(
        _ admissions: [Admission<Handler.Key, Handler.Work>], of deliveries: [Delivery], takenAt taken: Date,
        _ course: Course
    ) {
        assert(admissions.count == deliveries.count, "there is one admission for each delivery")
        var items: [Item] = []
        var places: [Handler.Key: Int] = [:]
        var settled: [Settling] = []
        for (delivery, admission) in zip(deliveries, admissions) {
            switch admission {
            case .settled(let verdict):
                settled.append(.admitted(delivery.receipt, verdict, origin(of: delivery, verdict, taken)))
            case .work(let key, let work):
                let cause = delivery.headers[TraceContext.header].flatMap { TraceContext($0) }
                if let place = places[key] {
                    handler.add(work, to: &items[place].work)
                    items[place].receipts.append(delivery.receipt)
                    if let cause { items[place].causes.append(cause) }
                } else if !handler.handlesOneAtATime || course.inHand.begin(key, delivery) {
                    places[key] = items.count
                    items.append(
                        Item(
                            key: key, receipts: [delivery.receipt], work: work, taken: taken,
                            causes: cause.map { [$0] } ?? []))
                }
            }
        }
        for place in items.indices where !items[place].causes.isEmpty { begin(&items[place]) }
        if !items.isEmpty {
            options.events.tell(.admitted(submittedAt: items.compactMap { handler.submittedAt(of: $0.work) }))
        }
        course.pause.took(settled.count)
        course.ready.append(settled)
        if options.gathers { course.holdback.add(items) } else { begin(items, course) }
    }

    private func begin(_ items: [Item], _ course: Course) {
        count(items, course)
        course.works.append(items)
    }

    /// Counts what is in hand, until it is settled.
    func count(_ items: [Item], _ course: Course) {
        course.pause.took(items.reduce(0) { $0 + $1.receipts.count })
        course.pace.took(items.count, at: options.time.now())
    }

    /// Where the deliveries come from. Only dead deliveries need it.
    private func origin(
        of delivery: Delivery, _ verdict: Verdict, _ taken: Date
    ) -> Settlement<Handler.Key>.Origin {
        guard case .dead = verdict.fate else { return .init(taken: taken) }
        let message = DeadMessage(queue: options.queue, body: delivery.body, headers: [:])
        return .init(image: message.imageID, job: message.jobID, taken: taken)
    }

    // MARK: Settling

    private func settlement(
        _ course: Course, ended: @escaping @Sendable ([Handler.Key]) async throws -> Void
    ) -> Settlement<Handler.Key> {
        Settlement(options, queue: queue, consumer: course.consumer, ended: ended) {
            // The embedded queue is in the store's file. While the file takes nothing, wait for it.
            guard try await options.store.refuses(handler.plainRow, of: nil) else { return false }
            return try await options.isStoreBack(course.drain)
        }
    }

    private func settle(_ settlement: Settlement<Handler.Key>, _ course: Course) async throws {
        let committing = StageCommit(options: options, handler: handler)
        while case let group = await course.ready.takeAll(), !group.isEmpty {
            var verdicts: [Settlement<Handler.Key>.Open] = []
            var done = 0
            var works = 0
            var handled: [(item: Item, outcome: Handler.Outcome)] = []
            func add(
                _ key: Handler.Key?, _ receipts: [Receipt], _ verdict: Verdict,
                _ origin: Settlement<Handler.Key>.Origin
            ) {
                verdicts.append(
                    Settlement.Open(key, receipts, verdict, since: options.time.now(), origin: origin))
            }
            for settling in group {
                switch settling {
                case .admitted(let receipt, let verdict, let origin): add(nil, [receipt], verdict, origin)
                case .handled(let item, let outcome): handled.append((item, outcome))
                case .withheld(let item):
                    works += 1
                    handler.gaveBack([item.work])
                    add(item.key, item.receipts, Verdict(.back(after: .zero)), .init(taken: item.taken))
                }
            }
            let judged = try await committing.commit(handled.map { ($0.item.work, $0.outcome) }, course.drain)
            for ((item, _), var verdict) in zip(handled, judged) {
                end(item, &verdict)
                works += 1
                if !verdict.isBack { done += 1 }
                // Jobs are told apart by their ids, and triggers by their images.
                add(
                    item.key, item.receipts, verdict,
                    .init(image: handler.image(of: item.work), job: item.key as? UUID, taken: item.taken))
            }
            course.pace.finished(works, done: done, at: options.time.now())
            try await settlement.begin(verdicts)
            if verdicts.contains(where: { !$0.isBack }) { options.store.passed(handler.plainRow) }
            // Deliveries that are still held count too: a queue that takes nothing must not stop the stage.
            course.pause.settled(verdicts.reduce(0) { $0 + $1.receipts.count })
        }
    }

    // MARK: Faults

    /// Tries again, but holds nothing for longer than the broker allows. After that time the fault is thrown, the role
    /// ends, and its deliveries go back.
    private func retrying<Value: Sendable>(
        _ what: String, _ operation: () async throws -> Value
    ) async throws -> Value { try await options.retry(options.patience).run(what, operation) }

    /// Waits a moment for a fault of the store that may pass. If it does not pass, the breaker opens.
    func storing<Value: Sendable>(
        _ what: String, _ operation: () async throws -> Value
    ) async throws -> Value { try await options.retry(StoreGate.patience).run(what, operation) }

    /// Waits for the embedded queue too, which is in the store's file, while that file takes nothing.
    private func queueing(_ what: String, _ drain: Drain, _ operation: () async throws -> Void) async throws {
        while true {
            do { return try await retrying(what, operation) } catch let fault as PortFault where fault.kind == .unusable
            {
                guard try await options.store.refuses(handler.plainRow, of: nil),
                    try await options.isStoreBack(drain)
                else { throw fault }
            }
        }
    }
}
