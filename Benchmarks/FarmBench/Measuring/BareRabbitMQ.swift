import Foundation
import Servers

/// The plain C program that publishes and consumes.
struct BareRabbitMQ {
    var server: RabbitMQServer
    var host: RabbitMQServer.VirtualHost
    var folder: TemporaryFolder

    /// The file of what it publishes.
    var body: String { folder.path("body") }

    /// - Returns: seconds.
    func publish(_ count: Int, _ window: Int, _ queues: [String]) throws -> Double {
        try run("publish", ["\(count)", "\(window)", body] + queues)
    }

    /// - Returns: seconds.
    func consume(_ count: Int, _ prefetch: Int, _ acknowledged: Int, _ queue: String) throws -> Double {
        try run("consume", ["\(count)", "\(prefetch)", "\(acknowledged)", queue])
    }

    private func run(_ verb: String, _ arguments: [String]) throws -> Double {
        try Programs.number(
            Child(
                Programs.beside("bare-rabbitmq"), [verb, "\(server.port)"] + arguments, in: folder.url,
                environment: server.settings(host)
            ).finished())
    }
}
