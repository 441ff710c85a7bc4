import Model
import Pipeline

/// What the queue tells: how much waits where.
package struct QueueStatus {
    /// What stands in the place of `members` when the queue is out of reach.
    package static let unknown = [JSON.Member("queues", .null), JSON.Member("blocked", .null)]

    /// A queue with those who work on it; nil: not known.
    package struct Line {
        package var service: String
        package var depth: QueueDepth
        package var workers: [RegisteredWorker]?
    }

    package let lines: [Line]
    /// Why the queue takes no messages.
    package let blockade: String?

    /// - Parameter workers: of all queues; nil: not known.
    /// - Throws: `PortFault`.
    package init(_ services: ServiceDirectory, _ queue: Queue, workers: [RegisteredWorker]?) async throws {
        let known = try await KnownQueues(services, queue, workers: workers ?? [])
        let depths = try await queue.depths(of: known.all.map(\.queue))
        // A queue of another box's service is shown as soon as it holds something, or somebody works on it.
        lines = zip(known.all, depths).enumerated().compactMap { index, pair in
            let (named, depth) = pair
            let ofQueue = workers?.filter { $0.queue == named.queue }
            let isIdle = depth.waiting + (depth.inFlight ?? 0) + depth.dead == 0 && ofQueue?.isEmpty ?? true
            guard index < known.own.count || !isIdle else { return nil }
            return Line(service: named.service, depth: depth, workers: ofQueue)
        }
        blockade = try await queue.blockade()
    }

    /// The services and roles whose messages wait.
    package var waited: [String] { lines.filter { $0.depth.waiting > 0 }.map(\.service) }

    /// - Parameter refusal: why the store takes no rows.
    package func members(refusal: PortFault?) -> [JSON.Member] {
        [
            JSON.Member(
                "queues",
                .array(
                    lines.map { line in
                        let (depth, state) = (line.depth, line.state(refusal: refusal))
                        return .object([
                            "queue": .string(depth.queue), "service": .string(line.service),
                            "waiting": .int(Int64(depth.waiting)),
                            "in_flight": depth.inFlight.map { .int(Int64($0)) } ?? .null,
                            "dead": .int(Int64(depth.dead)),
                            "workers": state.workers.map { .int(Int64($0)) } ?? .null, "why": .optional(state.why),
                        ])
                    })),
            JSON.Member("blocked", .optional(blockade)),
        ]
    }
}

extension QueueStatus.Line {
    /// Who works on it, and why not.
    package func state(refusal: PortFault?) -> QueueState { QueueState(depth, workers: workers, refusal: refusal) }
}
