import Foundation
import Logging
import Model
import Pipeline
import Waiting

/// What a submission in a window needs of the queue.
public typealias WindowQueue = any JobQueue & QueueAdministration & QueueInspection
/// What a submission in a window needs of the store.
public typealias WindowStore = any ImageCatalogue & SubmissionRecords & ResultStore

/// Submits jobs so that only a window of them waits in each queue. It notes in the store what it claims before it publishes, and
/// what is published afterwards, so that it can be killed anywhere and goes on (docs/decisions/0034-produce-in-a-window.md).
public struct WindowProducer: Sendable {
    /// The longest time between two looks at the queues.
    public static let longestLook = Duration.seconds(1)
    private static let shortestLook = Duration.milliseconds(50)
    private static let grace = Duration.seconds(2)
    /// How many jobs a queue gets at a time.
    private static let batch = 1000
    /// How many images are held for all queues and groups together.
    private static let buffered = 20_000

    let store: WindowStore
    let queue: WindowQueue
    let time: any Timekeeper
    private let newID: @Sendable () -> UUID
    private let randomness: Randomness
    let log: Logger
    private let tracer: Tracer

    package init(
        store: WindowStore, queue: WindowQueue, time: any Timekeeper,
        randomness: @escaping Randomness = systemRandomness, newID: @escaping @Sendable () -> UUID = { UUID() },
        log: Logger, tracer: Tracer = .off
    ) {
        self.store = store
        self.queue = queue
        self.time = time
        self.newID = newID
        self.randomness = randomness
        self.log = log
        self.tracer = tracer
    }

    /// Returns when everything is submitted, or when the drain begins. It waits for a store and for queues that are away.
    /// - Parameter progress: called after each step.
    /// - Throws: `PortFault` for a fault that does not pass by itself, and if another process goes on with the same jobs.
    public func run(
        _ options: WindowOptions, drain: Drain, progress: @Sendable (WindowCounts) async throws -> Void
    ) async throws -> WindowCounts? {
        let holder = newID()
        guard let marks = try await take(options, holder, drain) else { return nil }
        var round = WindowRound(options, marks, randomness: randomness)
        var look = WindowProducer.shortestLook
        while !drain.isBegun {
            try await progress(round.counts)
            guard !round.counts.isOver, try await self.look(&round, drain) else { break }
            try await settle(&round, drain)
            try await fill(&round, options, drain)
            guard !drain.isBegun else { break }
            guard try await note(&round, holder, drain) else { break }
            let sent = try await send(&round, drain)
            guard try await note(&round, holder, drain) else { break }
            if sent, options.delay > .zero {
                _ = try await drain.until { try await time.sleep(options.delay) }
            } else if !sent {
                let wait = look
                _ = try await drain.until {
                    try await time.sleep(WindowProducer.shortestLook)
                    if wait > WindowProducer.shortestLook {
                        try await queue.awaitActivity(upTo: wait - WindowProducer.shortestLook)
                    }
                }
                round.wake(within: .seconds(5), at: time.now())
            }
            look = sent ? WindowProducer.shortestLook : min(look * 2, WindowProducer.longestLook)
        }
        return round.counts
    }

    // MARK: Steps

    private func take(_ options: WindowOptions, _ holder: UUID, _ drain: Drain) async throws -> [SubmissionMark]? {
        let scopes = options.targets.flatMap { target in
            options.groups.map { SubmissionScope(service: target.service, group: $0, kind: options.kind) }
        }
        return try await waiting(drain, "noting the submission") {
            // A broker notes each question about a queue that is not there as an error.
            try await queue.declare(options.targets.map(\.queue))
            let baseline = try await store.newestResultID()
            let fresh = scopes.map { SubmissionMark(scope: $0, pass: newID(), baseline: baseline) }
            // What has failed, or was forgotten, is lacking again: a new pass finds it, once the one before is through.
            let known = try await store.submissions(scopes)
            // While jobs wait, their images still lack results, and would be submitted again.
            let isQuiet = try await queue.depths(of: options.targets.map(\.queue))
                .allSatisfy { $0.waiting == 0 && ($0.inFlight ?? 0) == 0 }
            let isThrough =
                isQuiet && options.kind != .every && known.count == scopes.count
                && known.allSatisfy { $0.isOver && $0.after == $0.claimed && $0.doubts.isEmpty }
            return try await store.takeSubmissions(fresh, restarts: options.restarts || isThrough, holder: holder)
        }
    }

    private func look(_ round: inout WindowRound, _ drain: Drain) async throws -> Bool {
        let queues = round.lanes.map(\.target.queue)
        let depths = try await waiting(drain, "asking how much waits") { try await queue.depths(of: queues) }
        guard let depths else { return false }
        let now = time.now()
        for (place, depth) in depths.enumerated() { round.lanes[place].saw(depth, at: now) }
        round.depths = depths
        return true
    }

    private func fill(_ round: inout WindowRound, _ options: WindowOptions, _ drain: Drain) async throws {
        let page = max(4, min(500, WindowProducer.buffered / max(1, options.targets.count * options.groups.count)))
        let now = time.now()
        // Those that are behind come first, which matters where jobs are submitted one by one.
        let places = round.lanes.indices.sorted { round.lanes[$0].images < round.lanes[$1].images }
        for place in places where round.lanes[place].wants(at: now) {
            let most = options.delay > .zero ? 1 : WindowProducer.batch
            let target = round.lanes[place].target
            try await round.lanes[place].fill(upTo: most) {
                message(of: $1, $0, target)
            } read: { mark in
                try await waiting(drain, "reading the images") {
                    try await store.images(filter(mark.scope), after: mark.claimed, limit: page).map(\.image)
                }
            }
            if options.delay > .zero, !round.lanes[place].open.isEmpty { break }
        }
    }

    /// Writes what has changed.
    /// - Returns: false if the drain begins meanwhile.
    private func note(_ round: inout WindowRound, _ holder: UUID, _ drain: Drain) async throws -> Bool {
        let marks = round.changed
        guard !marks.isEmpty else { return true }
        // What was published is noted even if the drain has begun.
        let isHeld = try await waiting(drain, "noting the submission") { try await store.mark(marks, holder: holder) }
        guard let isHeld else { return false }
        guard isHeld else {
            throw PortFault(
                .refused, place: "farm_submissions",
                message: "another farm produce --window goes on with these jobs: this one ends")
        }
        round.noted(marks)
        return true
    }

    /// - Returns: whether a queue has taken anything.
    private func send(_ round: inout WindowRound, _ drain: Drain) async throws -> Bool {
        let now = time.now()
        let (messages, places) = round.ready(at: now)
        guard !messages.isEmpty else { return false }
        let unpublished = await offer(messages, drain)
        if tracer.isOn { record(messages, but: Set(unpublished.flatMap(\.places)), since: now) }
        if let fault = unpublished.gravest, fault.kind != .transient, !drain.isBegun { throw fault }
        let news = round.took(places, but: unpublished, at: time.now())
        for (queue, fault) in news.stuck { log.warning("submitting to \(queue) failed, trying again: \(fault)") }
        for queue in news.freed { log.notice("submitting to \(queue) works again") }
        return news.taken > 0
    }

    /// Offers messages that are claimed. When the drain begins, the queue has a moment to take them, so that the next run does not
    /// have to look for them.
    private func offer(_ messages: [Message], _ drain: Drain) async -> [Unpublished] {
        let end = Drain()
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await drain.wait()
                try? await time.sleep(WindowProducer.grace)
                end.begin()
            }
            defer { group.cancelAll() }
            return await end.cancels { await queue.offer(messages) }
        }
    }

    // MARK: Messages

    func filter(_ scope: SubmissionScope) -> ImageFilter {
        switch scope.kind {
        case .every: ImageFilter(group: scope.group)
        case .lacking: ImageFilter(group: scope.group, lacking: [scope.service], answers: .settled)
        case .failed: ImageFilter(group: scope.group, lacking: [scope.service], answers: .success)
        }
    }

    func message(of image: Image, _ mark: SubmissionMark, _ target: Target) -> Message {
        let job = Job(
            image: image, service: target.service, queue: target.queue, jobID: mark.jobID(of: image.id),
            now: time.now())
        let trace = tracer.root().map { [TraceContext.header: $0.text] } ?? [:]
        return Message(queue: target.queue, body: job.body, headers: trace)
    }

    private func record(_ messages: [Message], but left: Set<Int>, since began: Date) {
        for (place, message) in messages.enumerated() where !left.contains(place) {
            if let span = Span.sending(message, began: began, ended: time.now()) { tracer.record(span) }
        }
    }

    /// - Returns: nil if the drain begins while it waits.
    func waiting<Value: Sendable>(
        _ drain: Drain, _ what: String, _ operation: @Sendable @escaping () async throws -> Value
    ) async throws -> Value? {
        do { return try await operation() } catch let fault as PortFault where fault.kind == .transient {
            let retry = Retry(time: time, randomness: randomness, log: log)
            return try await drain.until { try await retry.run(what, after: fault, operation) }
        }
    }
}
