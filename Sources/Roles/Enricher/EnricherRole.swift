import Logging
import Model
import Pipeline
import Waiting

/// The enricher, with the backfills that trigger images again after services were down or pictures were away.
public struct EnricherRole: Sendable {
    let stage: Stage<Enricher>
    let enricher: Enricher
    let queue: any JobQueue
    /// The store's circuit breaker.
    let gate: StoreGate
    private let control: ControlGate
    private let retry: Retry

    package init(_ options: StageOptions, enricher: Enricher, queue: any JobQueue) {
        retry = Retry(time: options.time, randomness: options.randomness, log: options.log)
        stage = Stage(options, queue: queue, handler: enricher)
        self.enricher = enricher
        self.queue = queue
        gate = options.store
        control = options.control
    }

    /// Runs until the drain is done.
    /// - Throws: `PortFault`.
    public func run(_ drain: Drain) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in enricher.services.values {
                let backfill = EnrichmentBackfill(
                    identity: enricher.identity, service: service, store: enricher.store, queue: queue,
                    signal: enricher.missing, gate: gate, control: control, time: enricher.time, retry: retry)
                group.addTask { _ = try await drain.until { try await backfill.run() } }
            }
            let pictures = PictureBackfill(
                identity: enricher.identity, pictures: enricher.pictures, store: enricher.store, queue: queue,
                signal: enricher.missing, gate: gate, control: control, time: enricher.time)
            group.addTask { _ = try await drain.until { try await pictures.run() } }
            group.addTask { try await stage.run(drain) }
            for try await _ in group {}
        }
    }
}
