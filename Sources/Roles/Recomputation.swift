import Model
import Pipeline

/// Does a role's work now, for images that somebody names, without a queue to take them from.
public struct Recomputation<Handler: StageHandler>: Sendable {
    let handler: Handler
    let queue: any JobQueue
    /// Turns images into the role's work, batch-wise.
    let work: @Sendable ([Image]) async throws -> [Handler.Work]
    /// Whether nothing of the image waits for a service.
    let isWhole: @Sendable (Handler.Outcome) -> Bool

    /// Handles, commits and triggers what follows.
    /// - Returns: how many images are done; the others wait for a service that is down.
    /// - Throws: `PortFault`.
    public func run(_ images: [Image]) async throws -> Int {
        let works = try await work(images)
        let group = await withTaskGroup(of: (Int, Handler.Outcome).self) { group in
            for (index, work) in works.enumerated() { group.addTask { (index, await handler.handle(work)) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let verdicts = try await handler.commit(group.map { (works[$0.0], $0.1) })
        let messages = verdicts.flatMap(\.publish)
        if !messages.isEmpty { try await queue.publish(messages) }
        return zip(group, verdicts).count { item, verdict in
            if case .done = verdict.fate { isWhole(item.1) } else { false }
        }
    }
}

extension Recomputation where Handler.Work == Image {
    /// Of a role whose work is the image itself: merger, consensus.
    public init(_ handler: Handler, queue: any JobQueue) {
        self.handler = handler
        self.queue = queue
        work = { $0 }
        isWhole = { _ in true }
    }
}

extension Recomputation where Handler == Enricher {
    package init(_ enricher: Enricher, queue: any JobQueue) {
        handler = enricher
        self.queue = queue
        work = { try await enricher.store.enrichmentWork(of: $0.map(\.id)) }
        isWhole = { $0.missing.isEmpty }
    }
}
