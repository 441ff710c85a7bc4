import Foundation
import Logging
import Pipeline
import Waiting

/// Reads at intervals what no event tells: how full the queues are, and when workers were last seen. There is one for
/// each process, and all scrapes read what it saw last.
///
/// If a look fails, the old values stay. `farm_sample_timestamp_seconds` shows how old they are.
package struct Sampler: Sendable {
    /// The things that are looked at. They are separate, so that a slow or absent one does not delay the other.
    package enum Source: String, Sendable, CaseIterable {
        case queues
        case workers
    }

    /// The time between two looks.
    package static let interval = Duration.seconds(15)
    /// The longest time between two looks, however slow they are.
    static let longestInterval = Duration.seconds(300)
    /// Looking takes at most one part in this many of the time.
    static let restPerLook = 20.0

    /// What was seen of the queues.
    package struct Queues: Sendable {
        var depths: [QueueDepth]
        /// For each queue, the age of its oldest waiting message in seconds. nil if none waits, or the queue cannot
        /// tell.
        var oldest: [Double?]

        package init(depths: [QueueDepth], oldest: [Double?]) {
            self.depths = depths
            self.oldest = oldest
        }
    }

    let metrics: FarmMetrics
    let time: any Timekeeper
    let log: Logger
    let queues: @Sendable () async throws -> Queues
    let workers: @Sendable () async throws -> [SeenWorkers]

    /// - Parameters:
    ///   - queues: the queues that this process knows.
    ///   - workers: when workers were last seen, as `WorkerRegister.seenWorkers` reports it.
    ///   - workers: who was seen, as `WorkerRegister.seenWorkers` tells.
    package init(
        metrics: FarmMetrics, time: any Timekeeper, log: Logger,
        queues: @escaping @Sendable () async throws -> Queues,
        workers: @escaping @Sendable () async throws -> [SeenWorkers]
    ) {
        self.metrics = metrics
        self.time = time
        self.log = log
        self.queues = queues
        self.workers = workers
    }

    /// Looks again and again, until its task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await repeating(.queues) { set(try await queues()) } }
            group.addTask { await repeating(.workers) { set(try await workers()) } }
        }
    }

    private func repeating(_ source: Source, _ look: () async throws -> Void) async {
        let seen = metrics.sampleTimestamp.labelled(source.rawValue)
        var isFailing = false
        while !Task.isCancelled {
            let begin = time.now()
            do {
                try await look()
                seen.set(time.now().timeIntervalSince1970)
                if isFailing { log.notice("metrics: the \(source.rawValue) are seen again") }
                isFailing = false
            } catch {
                guard !Task.isCancelled else { return }
                if !isFailing { log.warning("metrics: the \(source.rawValue) cannot be seen: \(error)") }
                isFailing = true
            }
            let rest = Sampler.rest(after: .seconds(time.now().timeIntervalSince(begin)))
            do { try await time.sleep(rest) } catch { return }
        }
    }

    /// How long to rest after a look that took this long.
    static func rest(after look: Duration) -> Duration {
        min(max(interval, look * restPerLook), longestInterval)
    }

    private func set(_ queues: Queues) {
        var oldest: [(labels: [String], value: Double)] = []
        var messages: [(labels: [String], value: Double)] = []
        var consumers: [(labels: [String], value: Double)] = []
        for (depth, age) in zip(queues.depths, queues.oldest) {
            if let age { oldest.append(([depth.queue], age)) }
            messages.append(([depth.queue, "ready"], Double(depth.waiting)))
            messages.append(([depth.queue, "dead"], Double(depth.dead)))
            if let inFlight = depth.inFlight { messages.append(([depth.queue, "in_flight"], Double(inFlight))) }
            if let count = depth.consumers { consumers.append(([depth.queue], Double(count))) }
        }
        metrics.queueMessages.replaceAll(messages)
        metrics.queueConsumers.replaceAll(consumers)
        metrics.queueOldest.replaceAll(oldest)
    }

    private func set(_ workers: [SeenWorkers]) {
        let now = time.now().timeIntervalSince1970
        metrics.workerLastHeartbeat.replaceAll(workers.map { ([$0.service, $0.host], now - $0.age) })
    }
}
