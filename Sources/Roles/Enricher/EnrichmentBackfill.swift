import Model
import Pipeline
import Waiting

/// When a crop service is back, triggers the images again that were enriched without it.
struct EnrichmentBackfill: Sendable {
    /// Pairs may also have been noted by an enricher that has ended.
    private static let recheck = Duration.seconds(60)
    private static let page = 500

    let identity: RoleIdentity
    let service: any AnalysisService
    let store: any ResultStore
    let queue: any JobQueue
    let signal: BackfillSignal
    /// The store's circuit breaker.
    let gate: StoreGate
    /// What operators have set for the enricher.
    let control: ControlGate
    let time: any Timekeeper
    let retry: Retry

    /// Runs until it is cancelled.
    /// - Throws: `PortFault`, `CancellationError`.
    func run() async throws {
        var after: ImageID = 0
        var noted = signal.count(of: service.name)
        while true {
            try Task.checkCancellation()
            // During a pause of the enricher, nobody would take the triggers, and each look would add more.
            try await control.pass()
            // Read before the look, so that a commit meanwhile is not waited for.
            let seen = signal.commits
            // What was triggered before the service failed again has been noted again, so it starts over.
            if await service.outage() != nil || signal.count(of: service.name) != noted { after = 0 }
            noted = signal.count(of: service.name)
            // Before the store takes rows, nobody would enrich them.
            let images = try await gate.asking(.enrichment) {
                try await store.imagesMissingEnrichments(
                    of: [service.name], after: after, limit: EnrichmentBackfill.page)
            }
            guard !images.isEmpty else {
                // Another enricher may have noted an image with a lower id, and ended.
                if try await commitOrRecheck(since: seen) { after = 0 }
                continue
            }
            let permits = try await service.permits()
            let batch = images.prefix(permits)
            let commits = signal.commits
            try await retry.publish(
                "triggering \(batch.count) images again",
                batch.map { identity.trigger(.enricher, image: Image(id: $0), at: time.now()) }, to: queue)
            after = batch.last ?? after
            // A half-open breaker lets one pass. Its result decides whether the others follow.
            if permits == 1 { _ = try await commitOrRecheck(since: commits) }
        }
    }

    /// - Returns: whether it is time to look at all images again. False after a commit.
    private func commitOrRecheck(since commits: Int) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                await signal.commit(since: commits)
                return false
            }
            group.addTask {
                try await time.sleep(EnrichmentBackfill.recheck)
                return true
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }
}
