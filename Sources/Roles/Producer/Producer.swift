import Foundation
import Logging
import Model
import Pipeline
import Waiting

/// A service for which jobs are submitted.
public struct Target: Sendable, Equatable {
    /// The name of the service.
    public var service: String
    /// The name of its queue.
    public var queue: String

    package init(service: String, queue: String) {
        self.service = service
        self.queue = queue
    }
}

/// What to submit.
public struct ProducerOptions: Sendable {
    /// The services.
    public var targets: [Target]
    /// The images.
    public var filter: ImageFilter
    /// The largest number of images. nil for all.
    public var limit: Int?
    /// The pause between two jobs.
    public var delay: Duration

    package init(
        targets: [Target], filter: ImageFilter, limit: Int? = nil, delay: Duration = .zero
    ) {
        self.targets = targets
        self.filter = filter
        self.limit = limit
        self.delay = delay
    }
}

/// A queue that takes no more jobs for the moment.
public struct WaitingQueue: Sendable, Equatable {
    /// The name of the queue.
    public var queue: String
    /// How many jobs have been offered to it and are not in it.
    public var jobs: Int
    /// The cause, for people.
    public var cause: String

    package init(queue: String, jobs: Int, cause: String) {
        self.queue = queue
        self.jobs = jobs
        self.cause = cause
    }
}

/// What was submitted, and what is waited for.
public struct ProducerCounts: Sendable, Equatable {
    /// Images whose jobs are all in their queues.
    public var images = 0
    /// Messages that are known to be in their queues.
    public var jobs = 0
    /// The largest image_id. 0 before the first.
    public var lastImage: ImageID = 0
    /// The queues that are waited for, by name.
    public var waiting: [WaitingQueue] = []

    package init() {}
}

/// Submits jobs of images for services. Each queue gets them by ascending image_id.
public struct Producer: Sendable {
    /// How many images are read at a time.
    private static let page = 500
    /// How many jobs are published at a time: several windows of confirmations, so that the next message rarely waits.
    private static let batch = 2000

    let catalogue: any ImageCatalogue
    let queue: any JobQueue
    let time: any Timekeeper
    private let newJobID: @Sendable () -> UUID
    private let randomness: Randomness
    private let log: Logger
    private let tracer: Tracer

    package init(
        catalogue: any ImageCatalogue, queue: any JobQueue, time: any Timekeeper,
        randomness: @escaping Randomness = systemRandomness, newJobID: @escaping @Sendable () -> UUID = { UUID() },
        log: Logger, tracer: Tracer = .off
    ) {
        self.catalogue = catalogue
        self.queue = queue
        self.time = time
        self.newJobID = newJobID
        self.randomness = randomness
        self.log = log
        self.tracer = tracer
    }

    /// Publishes in batches that are confirmed one by one. It ends early when the drain begins, even in the middle of a
    /// batch. It waits for a store that is away for a while, and for a full queue, while it serves the others.
    /// - Throws: `PortFault` for a fault that does not pass by itself.
    public func run(
        _ options: ProducerOptions, drain: Drain, progress: @Sendable (ProducerCounts) -> Void
    ) async throws -> ProducerCounts {
        var lanes = Lanes(options.targets, randomness: randomness)
        while !drain.isBegun {
            if lanes.isReady(at: time.now()) {
                try await send(&lanes, options, drain)
                progress(lanes.counts)
            } else if lanes.canRead(options.limit) {
                guard try await read(&lanes, options, drain) else { break }
            } else if let due = lanes.nextTry {
                // At least one step of the clock, or it would never end. At most the back-off, even if the wall clock
                // changes.
                let wait = min(Lanes.longestWait.seconds, max(0.001, due.timeIntervalSince(time.now())))
                _ = try await drain.until { try await time.sleep(.seconds(wait)) }
                lanes.wake(dueBy: due)
            } else {
                break
            }
        }
        return lanes.counts
    }

    /// - Returns: false if the drain begins meanwhile.
    private func read(_ lanes: inout Lanes, _ options: ProducerOptions, _ drain: Drain) async throws -> Bool {
        let (after, room) = lanes.nextPage(of: Producer.page, options.limit)
        let page = try await waiting(drain, "reading the images") {
            try await catalogue.images(options.filter, after: after, limit: room)
        }
        guard let page else { return false }
        lanes.add(page, after: after) { jobs(for: $0, options) }
        return true
    }

    private func send(_ lanes: inout Lanes, _ options: ProducerOptions, _ drain: Drain) async throws {
        let batch = lanes.batch(upTo: options.delay > .zero ? 1 : Producer.batch, at: time.now())
        let messages = batch.map(\.message)
        let began = time.now()
        let unpublished = await drain.cancels { await queue.offer(messages) }
        if tracer.isOn { record(messages, but: Set(unpublished.flatMap(\.places)), since: began) }
        if let fault = unpublished.gravest, fault.kind != .transient, !drain.isBegun { throw fault }
        tell(lanes.took(batch, but: unpublished, at: time.now(), isCancelled: drain.isBegun))
        if options.delay > .zero { _ = try await drain.until { try await time.sleep(options.delay) } }
    }

    private func record(_ messages: [Message], but left: Set<Int>, since began: Date) {
        for (place, message) in messages.enumerated() where !left.contains(place) {
            if let span = Span.sending(message, began: began, ended: time.now()) { tracer.record(span) }
        }
    }

    private func tell(_ notice: Lanes.News) {
        for (cause, queues) in notice.stuck.sorted(by: { $0.key < $1.key }) {
            log.warning("submitting to \(queues.sorted().joined(separator: ", ")) failed, trying again: \(cause)")
        }
        if !notice.freed.isEmpty {
            log.notice("submitting to \(notice.freed.sorted().joined(separator: ", ")) works again")
        }
    }

    /// - Returns: nil if the drain begins while it waits.
    private func waiting<Value: Sendable>(
        _ drain: Drain, _ what: String, _ operation: @Sendable @escaping () async throws -> Value
    ) async throws -> Value? {
        do { return try await operation() } catch let fault as PortFault where fault.kind == .transient {
            let retry = Retry(time: time, randomness: randomness, log: log)
            return try await drain.until { try await retry.run(what, after: fault, operation) }
        }
    }

    private func jobs(for listed: ListedImage, _ options: ProducerOptions) -> [Message?] {
        let lacking = options.filter.lacking == nil ? nil : Set(listed.lacking)
        return options.targets.map { target in
            guard lacking?.contains(target.service) ?? true else { return nil }
            let job = Job(
                image: listed.image, service: target.service, queue: target.queue, jobID: newJobID(), now: time.now())
            let trace = tracer.root().map { [TraceContext.header: $0.text] } ?? [:]
            return Message(queue: target.queue, body: job.body, headers: trace)
        }
    }
}

extension Span {
    /// A message that was published. nil if it has no trace.
    static func sending(_ message: Message, began: Date, ended: Date) -> Span? {
        guard let context = message.headers[TraceContext.header].flatMap({ TraceContext($0) }) else { return nil }
        var span = Span("send \(message.queue)", .producer, context, began: began, ended: ended)
        span.attributes = [
            ("messaging.system", .text("farm")), ("messaging.operation.name", .text("send")),
            ("messaging.operation.type", .text("send")), ("messaging.destination.name", .text(message.queue)),
        ]
        return span
    }
}
