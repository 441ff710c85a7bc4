import Model
import Pipeline

/// What a recomputation has done.
public struct RecomputationCounts: Sendable, Equatable {
    /// Images that are done. The others wait for a service or a picture that is away.
    public var done = 0
    /// Questions that had failed before and were asked again.
    public var askedAgain = 0
    /// Questions that have failed for good now.
    public var failed = 0

    package init() {}

    /// Adds the counts.
    public static func += (left: inout RecomputationCounts, right: RecomputationCounts) {
        left.done += right.done
        left.askedAgain += right.askedAgain
        left.failed += right.failed
    }
}

/// Does a role's work now, for named images, without a queue.
public struct Recomputation<Handler: StageHandler>: Sendable {
    let handler: Handler
    let queue: any JobQueue
    /// Turns images into the role's work, in batches.
    let work: @Sendable ([Image]) async throws -> [Handler.Work]
    /// The counts of one image's outcome.
    let counts: @Sendable (Handler.Outcome) -> RecomputationCounts

    /// Handles, commits and publishes the triggers that follow.
    /// - Throws: `PortFault`.
    public func run(_ images: [Image]) async throws -> RecomputationCounts {
        let works = try await work(images)
        let group = await withTaskGroup(of: (Int, Handler.Outcome).self) { group in
            for (index, work) in works.enumerated() { group.addTask { (index, await handler.handle(work)) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let verdicts = try await handler.commit(group.map { (works[$0.0], $0.1) })
        assert(verdicts.count == group.count, "a handler gives one verdict for each element")
        let messages = verdicts.flatMap(\.publish)
        if !messages.isEmpty { try await queue.publish(messages) }
        return zip(group, verdicts).reduce(into: RecomputationCounts()) { sum, item in
            if case .done = item.1.fate { sum += counts(item.0.1) }
        }
    }
}

extension Recomputation where Handler.Work == TriggeredImage {
    /// A recomputation by a role whose work is the image itself: merger, consensus.
    public init(_ handler: Handler, queue: any JobQueue) {
        self.handler = handler
        self.queue = queue
        work = { images in images.map { TriggeredImage($0) } }
        counts = { _ in
            var counts = RecomputationCounts()
            counts.done = 1
            return counts
        }
    }
}

extension Recomputation where Handler == Enricher {
    package init(_ enricher: Enricher, queue: any JobQueue) {
        handler = enricher
        self.queue = queue
        work = { try await enricher.store.enrichmentWork(of: $0.map(\.id)) }
        counts = { outcome in
            var counts = RecomputationCounts()
            counts.done = outcome.missing.isEmpty ? 1 : 0
            counts.askedAgain = outcome.askedAgain
            counts.failed = outcome.rows.count { $0.status == .error }
            return counts
        }
    }
}
