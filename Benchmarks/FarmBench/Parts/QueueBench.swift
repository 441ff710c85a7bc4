import Embedded
import Foundation
import Logging
import Model
import Pipeline
import Waiting

/// The embedded queue: jobs published in batches, then taken and acknowledged.
enum QueueBench {
    private static let jobs = 50_000
    private static let batch = 500
    /// What merger and consensus fetch at a time.
    private static let prefetch = 64

    static func run() async throws -> [Figure] {
        var (published, taken, processor): ([Double], [Double], [Double]) = ([], [], [])
        let bodies = Jobs.messages(jobs, for: ["yolov8"])
        for _ in 0..<Scale.of(5, quick: 1) {
            let folder = try TemporaryFolder()
            let database = try await EmbeddedDatabase(
                path: folder.path("farm.db"), time: SystemTime(), log: Jobs.silence)
            let queue = EmbeddedQueue(database)
            let begin = Clock.process
            published.append(Double(jobs) / (try await publish(bodies, to: queue)))
            taken.append(Double(jobs) / (try await take(from: queue)))
            processor.append((Clock.process - begin) / Double(jobs))
            await database.close()
        }
        return [
            Figure("published in batches of 500", published.median, "jobs/s", goal: .atLeast(50_000)),
            Figure("taken and acknowledged", taken.median, "jobs/s", goal: .atLeast(15_000)),
            Figure("processor time of both together", processor.median * 1e6, "µs/job"),
        ]
    }

    /// - Returns: seconds.
    private static func publish(_ messages: [Message], to queue: EmbeddedQueue) async throws -> Double {
        let begin = Clock.wall
        for start in stride(from: 0, to: messages.count, by: batch) {
            try await queue.publish(Array(messages[start..<min(start + batch, messages.count)]))
        }
        return Clock.wall - begin
    }

    private static func take(from queue: EmbeddedQueue) async throws -> Double {
        let consumer = try await queue.consume("queue_yolov8", prefetch: prefetch)
        let begin = Clock.wall
        var count = 0
        while count < jobs {
            let deliveries = try await consumer.next(upTo: prefetch)
            try await consumer.acknowledge(deliveries.map(\.receipt))
            count += deliveries.count
        }
        let seconds = Clock.wall - begin
        await consumer.close()
        return seconds
    }
}

/// Jobs as the producer makes them.
enum Jobs {
    static let silence = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

    /// So many, image by image, for each of these services.
    static func messages(_ count: Int, for services: [String]) -> [Message] {
        let now = Date()
        return (0..<count).map { number in
            let image = number / services.count + 1
            return message(
                Image(id: image, filename: "\(image).jpg", path: "/srv/photos/coco2017/\(image).jpg"),
                services[number % services.count], now)
        }
    }

    static func message(_ image: Image, _ service: String, _ now: Date) -> Message {
        let queue = "queue_\(service)"
        return Message(queue: queue, body: Job(image: image, service: service, queue: queue, now: now).body)
    }
}
