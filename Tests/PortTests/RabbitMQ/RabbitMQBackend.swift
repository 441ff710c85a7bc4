import Foundation
import Logging
import Pipeline
@testable import RabbitMQ
import Synchronization
import Testing

/// Queues of one test on a broker that many tests share: their names get a prefix of its own.
struct PrefixedQueue: JobQueue, QueueAdministration, QueueInspection {
    let queue: RabbitMQQueue
    let prefix: String

    func publish(_ messages: [Message]) async throws {
        try await queue.publish(
            messages.map { Message(queue: prefix + $0.queue, body: $0.body, headers: $0.headers) })
    }

    func consume(_ name: String, prefetch: Int) async throws -> any JobConsumer {
        try await queue.consume(prefix + name, prefetch: prefetch)
    }

    func declare(_ queues: [String]) async throws { try await queue.declare(queues.map { prefix + $0 }) }

    func depths(of queues: [String]) async throws -> [QueueDepth] {
        try await queue.depths(of: queues.map { prefix + $0 }).map {
            QueueDepth(
                queue: String($0.queue.dropFirst(prefix.count)), waiting: $0.waiting, inFlight: $0.inFlight,
                dead: $0.dead)
        }
    }

    func blockade() async throws -> String? { try await queue.blockade() }

    func queueNames() async throws -> [String] {
        try await queue.queueNames().map { String($0.dropFirst(prefix.count)) }
    }

    func pass(through name: String, _ part: QueuePart) async throws -> any QueuePass {
        PrefixedPass(pass: try await queue.pass(through: prefix + name, part), prefix: prefix)
    }

    func purge(_ name: String) async throws -> Int { try await queue.purge(prefix + name) }
}

/// A pass through one of these queues.
struct PrefixedPass: QueuePass {
    let pass: any QueuePass
    let prefix: String

    func next() async throws -> [Delivery] { try await pass.next() }

    func remove(_ receipts: [Receipt]) async throws -> Int { try await pass.remove(receipts) }

    func replace(_ replacements: [(receipt: Receipt, message: Message)]) async throws -> Int {
        try await pass.replace(
            replacements.map { receipt, message in
                (receipt, Message(queue: prefix + message.queue, body: message.body, headers: message.headers))
            })
    }

    func close() async throws { try await pass.close() }
}

func uniqueName(_ name: String = "q") -> String { "\(name)-\(UUID().uuidString)-" }

extension QueueBackend {
    static let rabbitmq = QueueBackend(name: "rabbitmq", canDelay: false) {
        let server = RabbitMQServer.shared
        try await server.ready()
        let prefix = uniqueName("t")
        let queues = Mutex<[RabbitMQQueue]>([])
        return QueueBroker(
            connect: {
                let queue = try await RabbitMQQueue(server.options(), time: SystemTime(), log: quiet)
                queues.withLock { $0.append(queue) }
                return QueueConnection(
                    queue: PrefixedQueue(queue: queue, prefix: prefix), die: { await queue.abandon() },
                    close: { await queue.close() })
            },
            // Nothing in the broker waits for that long.
            advance: { _ in },
            close: {
                for queue in queues.withLock({ $0 }) { await queue.close() }
            })
    }
}
