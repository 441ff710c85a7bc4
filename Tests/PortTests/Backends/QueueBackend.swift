import Pipeline
import Testing

/// A queue that claims the behaviours of `JobQueue`. A new one joins with a line in `queueBackends`.
struct QueueBackend: Sendable, CustomTestStringConvertible {
    var name: String
    /// Whether a message can be given back with a delay.
    var canDelay = true
    var make: @Sendable () async throws -> QueueBroker

    var testDescription: String { name }

    /// Runs a test on an empty broker of its own.
    func run(_ test: (QueueBroker) async throws -> Void) async throws {
        let broker = try await make()
        do { try await test(broker) } catch {
            await broker.close()
            throw error
        }
        await broker.close()
    }
}

let queueBackends = [QueueBackend.embedded, .rabbitmq]

/// Something that queues live in, empty at first.
struct QueueBroker: Sendable {
    /// Opens a connection, as a process of its own would.
    var connect: @Sendable () async throws -> QueueConnection
    /// Lets that much time pass, for everybody who lives.
    var advance: @Sendable (Duration) async throws -> Void
    var close: @Sendable () async -> Void
}

/// A process's way to its queues.
struct QueueConnection: Sendable {
    var queue: any JobQueue & QueueAdministration & QueueInspection
    /// As if the process had been killed; returns when the broker has noticed.
    var die: @Sendable () async throws -> Void
    /// As a process that ends well.
    var close: @Sendable () async -> Void
}

extension JobQueue {
    func publish(_ texts: [String], to queue: String) async throws {
        try await publish(texts.map { Message(queue: queue, body: Array($0.utf8)) })
    }
}

extension Delivery {
    var text: String { String(decoding: body, as: UTF8.self) }
}
