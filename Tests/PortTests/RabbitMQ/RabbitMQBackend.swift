import Foundation
import Logging
import Pipeline
@testable import RabbitMQ
import Servers
import Synchronization
import Waiting

func uniqueName(_ name: String = "q") -> String { "\(name)-\(UUID().uuidString)-" }

extension RabbitMQServer {
    /// One that a test may stop, kill and starve, if no other test uses it meanwhile.
    static let faulty = Task { try await started() }

    func options() -> RabbitMQOptions {
        RabbitMQOptions(
            hosts: [host], port: port, user: "guest", password: { "guest" }, virtualHost: "/", tls: false,
            caFile: nil, queueType: .classic, connectionName: "test")
    }

    func options(_ host: VirtualHost) -> RabbitMQOptions {
        var options = options()
        (options.virtualHost, options.user, options.password) = (host.name, host.user, { host.password })
        return options
    }
}

extension Subscriber {
    /// Whether somebody waits for a delivery.
    var isAwaited: Bool { subscriptions.values.contains { !$0.takers.isEmpty } }
}

extension QueueBackend {
    static let rabbitmq = QueueBackend(name: "rabbitmq", canDelay: false, hasClock: false, tellsInFlight: false) {
        let server = try RabbitMQServer.shared()
        let host = try await server.virtualHost()
        let queues = Mutex<[RabbitMQQueue]>([])
        return QueueBroker(
            connect: {
                let queue = try await RabbitMQQueue(server.options(host), time: SystemTime(), log: quiet)
                queues.withLock { $0.append(queue) }
                return QueueConnection(
                    queue: queue,
                    waits: { while await !queue.subscriber.isAwaited { await Task.yield() } },
                    die: { await queue.abandon() }, close: { await queue.close() })
            },
            advance: { _ in },
            close: {
                for queue in queues.withLock({ $0 }) { await queue.close() }
                await server.remove(host)
            })
    }
}
