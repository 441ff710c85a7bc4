@preconcurrency import Dispatch
import Foundation
import Pipeline

/// Checks each host of a broker without changing anything, with everything that roles would use: two connections, a
/// channel for each consumer, the queues, and their queues for dead letters. Does this user have the necessary rights,
/// can jobs be taken from the queues, and does the broker take messages?
public struct RabbitMQProbe: Sendable {
    private let options: RabbitMQOptions
    private let queues: [String]
    private let consumers: Int

    /// - Parameters:
    ///   - queues: the queues that this machine uses.
    ///   - consumers: how many consumers the roles of this machine have in one process.
    public init(_ options: RabbitMQOptions, queues: [String], consumers: Int) {
        self.options = options
        self.queues = queues
        self.consumers = consumers
    }

    /// The findings, by host.
    public func findings() async -> [CheckFinding] {
        var findings: [CheckFinding] = []
        for host in options.hosts { findings += await look(at: host) }
        return findings
    }

    /// Why the broker takes no messages at present (a memory or disk alarm), by the first host that answers. nil if it
    /// takes them. A broker says so only on connections that publish, so a message is sent to a queue that does not
    /// exist.
    /// - Throws: `PortFault`.
    static func blockade(_ options: RabbitMQOptions) async throws -> String? {
        var fault = PortFault(.unusable, place: options.place, message: "QUEUE_HOST names no host")
        for host in options.hosts {
            do {
                return try await AMQPConnection.open(options, host: host, names: ["\(options.connectionName) (status)"])
                {
                    let conversations = $0.map(Conversation.init)
                    _ = try conversations.first?.publishToNobody()
                    return conversations.first?.blockade
                }
            } catch let error as PortFault { fault = error }
        }
        throw fault
    }

    private func look(at host: String) async -> [CheckFinding] {
        let subject = "RabbitMQ \(options.virtualHost) on \(host):\(options.port)"
        do {
            let name = options.connectionName
            return try await AMQPConnection.open(
                options, host: host, names: ["\(name) (check publishing)", "\(name) (check consuming)"]
            ) { links in
                let (publishing, consuming) = (Conversation(links[0]), Conversation(links[1]))
                return try Examination(publishing, consuming, subject, options, queues, consumers).findings()
            }
        } catch {
            return [CheckFinding(.failed, subject, (error as? PortFault)?.message ?? "\(error)")]
        }
    }
}
