import Foundation
import Logging
import Model
import Pipeline

/// A service that jobs are submitted for.
public struct Target: Sendable, Equatable {
    /// The service it is of.
    public var service: String
    /// The queue it is of.
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
    /// Of images; nil: all.
    public var limit: Int?
    /// Between two jobs.
    public var delay: Duration
    /// Count only.
    public var isDryRun: Bool

    package init(
        targets: [Target], filter: ImageFilter, limit: Int? = nil, delay: Duration = .zero, isDryRun: Bool = false
    ) {
        self.targets = targets
        self.filter = filter
        self.limit = limit
        self.delay = delay
        self.isDryRun = isDryRun
    }
}

/// What was submitted.
public struct ProducerCounts: Sendable, Equatable {
    /// Rows of `images`.
    public var images = 0
    /// Messages.
    public var jobs = 0
    /// The largest image_id; 0 before the first.
    public var lastImage: ImageID = 0

    package init() {}
}

/// Submits image × service jobs, by ascending image_id.
public struct Producer: Sendable {
    /// Images that are read at a time.
    private static let page = 500
    /// Jobs that are published at a time: several windows of confirmations, so that the next message rarely waits.
    private static let batch = 2000

    let catalogue: any ImageCatalogue
    let queue: any JobQueue
    let time: any Timekeeper
    private let newJobID: @Sendable () -> UUID
    private let persistence: Persistence

    package init(
        catalogue: any ImageCatalogue, queue: any JobQueue, time: any Timekeeper,
        randomness: @escaping Randomness = systemRandomness, newJobID: @escaping @Sendable () -> UUID = { UUID() },
        log: Logger
    ) {
        self.catalogue = catalogue
        self.queue = queue
        self.time = time
        self.newJobID = newJobID
        persistence = Persistence(time: time, randomness: randomness, log: log)
    }

    /// Publishes in batches that are confirmed one by one; ends early, between two batches, when the drain begins. A broker
    /// or store that is full or away for a while is waited for.
    /// - Throws: `PortFault` for what does not pass by itself.
    public func run(
        _ options: ProducerOptions, drain: Drain, progress: @Sendable (ProducerCounts) -> Void
    ) async throws -> ProducerCounts {
        var counts = ProducerCounts()
        var after: ImageID = 0
        while !drain.isBegun {
            let room = min(Producer.page, (options.limit ?? .max) - counts.images)
            guard room > 0 else { break }
            let page = try await waiting(drain, "reading the images") { [after] in
                try await catalogue.images(options.filter, after: after, limit: room)
            }
            guard let page, let last = page.last else { break }
            after = last.image.id
            var jobs = page.enumerated().flatMap { place, listed in
                self.jobs(for: listed, options).map { (place, $0) }
            }[...]
            let imagesBefore = counts.images
            while !jobs.isEmpty, !drain.isBegun {
                let messages = jobs.prefix(options.delay > .zero ? 1 : Producer.batch)
                if !options.isDryRun {
                    let batch = messages.map(\.1)
                    let published: Void? = try await waiting(drain, "submitting \(batch.count) jobs") {
                        try await queue.publish(batch)
                    }
                    guard published != nil else { break }
                    if options.delay > .zero { _ = try await drain.until { try await time.sleep(options.delay) } }
                }
                counts.jobs += messages.count
                jobs = jobs.dropFirst(messages.count)
                // An image counts once the last of its jobs is out.
                counts.images = imagesBefore + (jobs.first?.0 ?? page.count)
                progress(counts)
            }
            counts.lastImage = last.image.id
        }
        return counts
    }

    /// Repeated, the same messages are the same jobs: they leave one row each.
    /// - Returns: nil if the drain begins while it waits for better times.
    private func waiting<Value: Sendable>(
        _ drain: Drain, _ what: String, _ operation: @Sendable @escaping () async throws -> Value
    ) async throws -> Value? {
        do { return try await operation() } catch let fault as PortFault where fault.kind == .transient {
            return try await drain.until { try await persistence.run(what, after: fault, operation) }
        }
    }

    private func jobs(for listed: ListedImage, _ options: ProducerOptions) -> [Message] {
        let lacking = options.filter.lacking == nil ? nil : Set(listed.lacking)
        return options.targets.filter { lacking?.contains($0.service) ?? true }.map { target in
            let job = Job(
                image: listed.image, service: target.service, queue: target.queue, jobID: newJobID(), now: time.now())
            return Message(queue: target.queue, body: job.body)
        }
    }
}
