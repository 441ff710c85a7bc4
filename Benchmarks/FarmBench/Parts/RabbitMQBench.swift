import Foundation
import Model
import Pipeline
import RabbitMQ
import Servers
import Waiting

/// Publishing with confirms and consuming with acknowledgements, held against a plain C program of the same library that
/// has the same window and prefetch.
enum RabbitMQBench {
    private static let jobs = 11_000
    /// Messages ahead of their confirmations: farm's own.
    private static let window = 500
    private static let prefetch = 256
    /// Deliveries that are acknowledged at once, by either.
    private static let acknowledged = 64
    private static let queues = Workplace.services.map { "queue_\($0)" }

    static func run() async throws -> [Figure] {
        let server = try RabbitMQServer.shared()
        let host = try await server.virtualHost()
        let queue = try await RabbitMQQueue(
            RabbitMQOptions(
                hosts: [server.host], port: server.port, user: host.user, password: { host.password },
                virtualHost: host.name, tls: false, caFile: nil, queueType: .classic, connectionName: "farm-bench"),
            time: SystemTime(), log: Jobs.silence)
        try await queue.declare(queues)
        let folder = try TemporaryFolder()
        let messages = Jobs.messages(jobs, for: Workplace.services)
        let single = Jobs.messages(jobs, for: [Workplace.services[0]])
        let bare = BareRabbitMQ(server: server, host: host, folder: folder)
        try Data(messages[0].body).write(to: URL(filePath: bare.body))

        let publishing = try await interleaved([
            { try await emptied(queue) { try await seconds { try await publish(messages, to: queue) } } },
            { try await emptied(queue) { try bare.publish(jobs, window, queues) } },
        ])
        let consuming = try await interleaved([
            {
                try await publish(single, to: queue)
                return try await seconds { try await take(from: queue) }
            },
            {
                try await publish(single, to: queue)
                return try bare.consume(jobs, prefetch, acknowledged, queues[0])
            },
        ])
        await queue.close()
        await server.remove(host)
        return rates("published with confirms", publishing) + rates("consumed and acknowledged", consuming)
    }

    private static func rates(_ what: String, _ seconds: [Double]) -> [Figure] {
        [
            Figure("\(what), by farm", Double(jobs) / seconds[0], "messages/s"),
            Figure("\(what), by the plain C client", Double(jobs) / seconds[1], "messages/s"),
            Figure("ratio", seconds[1] / seconds[0], "times", goal: .atLeast(0.7)),
        ]
    }

    /// What the producer hands over at a time.
    private static let batch = 500

    private static func publish(_ messages: [Message], to queue: RabbitMQQueue) async throws {
        for start in stride(from: 0, to: messages.count, by: batch) {
            try await queue.publish(Array(messages[start..<min(start + batch, messages.count)]))
        }
    }

    private static func take(from queue: RabbitMQQueue) async throws {
        let consumer = try await queue.consume(queues[0], prefetch: prefetch)
        var count = 0
        while count < jobs {
            let deliveries = try await consumer.next(upTo: acknowledged)
            try await consumer.acknowledge(deliveries.map(\.receipt))
            count += deliveries.count
        }
        await consumer.close()
    }

    private static func emptied(_ queue: RabbitMQQueue, _ work: () async throws -> Double) async throws -> Double {
        let seconds = try await work()
        for name in queues { _ = try await queue.purge(name) }
        return seconds
    }
}

/// - Returns: how long it took.
func seconds(_ work: () async throws -> Void) async rethrows -> Double {
    let begin = Clock.wall
    try await work()
    return Clock.wall - begin
}
