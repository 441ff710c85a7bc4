import Model
import Operations
import Pipeline
import Settings
import Telemetry
import Waiting

/// The metrics of this process, if METRICS_LISTEN is set.
package struct ProcessMetrics: Sendable {
    /// The metrics, for whoever serves them.
    package let metrics: FarmMetrics
    let sink: MetricsSink

    /// - Parameter version: the version of this program.
    package init(version: String, time: any Timekeeper) {
        metrics = FarmMetrics(version: version)
        sink = MetricsSink(metrics, time: time)
    }

    /// The sampler of this process.
    /// - Parameters:
    ///   - queue: called at each look, since the queue may not be open yet.
    ///   - store: likewise.
    package func sampler(
        _ context: ProgramContext, queue: @escaping @Sendable () async throws -> Queue,
        store: @escaping @Sendable () async throws -> Store
    ) -> Sampler {
        let own = context.settings.queues
        return Sampler(
            metrics: metrics, time: context.time, log: context.log("metrics"),
            queues: { [sink] in
                let queue = try await queue()
                // A broker does not list its queues, but this process knows the ones it consumes.
                let others = Set(try await queue.queueNames()).union(sink.queues).subtracting(own)
                let names = own + others.sorted()
                return Sampler.Queues(
                    depths: try await queue.depths(of: names), oldest: try await queue.oldestAges(of: names))
            }, workers: { try await store().seenWorkers() })
    }
}
