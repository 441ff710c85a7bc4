import Model
import Pipeline
import Settings

/// What the queue tells: how much waits where.
struct QueueStatus {
    /// What stands in the place of `members` when the queue is out of reach.
    static let unknown = [JSON.Member("queues", .null), JSON.Member("blocked", .null)]

    private let queues: [(service: String, depth: QueueDepth)]
    /// Why the queue takes no messages.
    private let blockade: String?

    /// - Throws: `PortFault`.
    init(_ settings: Settings, _ queue: Queue) async throws {
        let known = try await KnownQueues(settings, queue)
        let depths = try await queue.depths(of: known.all.map(\.queue))
        // A queue of another box's service is shown as soon as it holds something.
        queues = zip(known.all, depths).enumerated().filter { index, pair in
            index < known.own.count || pair.1.waiting + (pair.1.inFlight ?? 0) + pair.1.dead > 0
        }.map { ($1.0.service, $1.1) }
        blockade = try await queue.blockade()
    }

    /// The services and roles whose messages wait.
    var waited: [String] { queues.filter { $0.depth.waiting > 0 }.map(\.service) }

    var members: [JSON.Member] {
        [
            JSON.Member(
                "queues",
                .array(
                    queues.map { service, depth in
                        .object([
                            "queue": .string(depth.queue), "service": .string(service),
                            "waiting": .int(Int64(depth.waiting)),
                            "in_flight": depth.inFlight.map { .int(Int64($0)) } ?? .null,
                            "dead": .int(Int64(depth.dead)),
                        ])
                    })),
            JSON.Member("blocked", .optional(blockade)),
        ]
    }

    var text: String {
        var table = Table([("queue", .left), ("waiting", .right), ("in flight", .right), ("dead", .right)])
        for (_, depth) in queues {
            table.add([depth.queue, "\(depth.waiting)", depth.inFlight.map(String.init) ?? "-", "\(depth.dead)"])
        }
        return table.text + (blockade.map { "\nthe broker takes no messages: \($0)" } ?? "")
    }
}
