import Pipeline
import Testing

/// A queue that claims the behaviours of `JobQueue`. A new one joins with a line in `queueBackends`.
struct QueueBackend: Sendable, CustomTestStringConvertible {
    typealias Test = @Sendable (QueueBroker) async throws -> Void

    var name: String
    /// Whether a message can be given back with a delay.
    var canDelay = true
    /// Whether time means something to what it holds, such as a lease, and a test can let it pass.
    var hasClock = true
    /// Whether it tells of every message that is in flight; if not, only of this process's own.
    var tellsInFlight = true
    /// Runs a test on an empty broker of its own.
    var run: @Sendable (@escaping Test) async throws -> Void

    var testDescription: String { name }
}

extension QueueBackend {
    init(
        name: String, canDelay: Bool = true, hasClock: Bool = true, tellsInFlight: Bool = true,
        make: @escaping @Sendable () async throws -> QueueBroker
    ) {
        self.init(
            name: name, canDelay: canDelay, hasClock: hasClock, tellsInFlight: tellsInFlight,
            run: { test in
                let broker = try await make()
                do { try await test(broker) } catch {
                    await broker.close()
                    throw error
                }
                await broker.close()
            })
    }
}

/// What farm runs with, and what the simulation puts in their place.
let queueBackends = inspectedBackends + [.simulatedBroker, .simulatedTable]

/// Those that claim the behaviours of `QueueInspection`, too.
let inspectedBackends = [QueueBackend.embedded, .rabbitmq]

/// Something that queues live in, empty at first.
struct QueueBroker: Sendable {
    /// Opens a connection, as a process of its own would.
    var connect: @Sendable () async throws -> QueueConnection
    /// Lets that much time pass, for everybody who lives; nothing where the backend has no clock.
    var advance: @Sendable (Duration) async throws -> Void
    var close: @Sendable () async -> Void
}

/// A process's way to its queues.
struct QueueConnection: Sendable {
    var queue: any JobQueue & QueueAdministration & QueueInspection
    /// Returns once one of its consumers waits for a delivery.
    var waits: @Sendable () async throws -> Void
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
