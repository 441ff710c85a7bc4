@preconcurrency import Dispatch
import Foundation
import Pipeline

/// Looks at each host of a broker without changing anything: can it be reached, has this user the rights it needs, are the
/// queues there and as farm would declare them, does it take messages?
public struct RabbitMQProbe: Sendable {
    private let options: RabbitMQOptions
    private let queues: [String]

    /// - Parameter queues: those that this box uses.
    public init(_ options: RabbitMQOptions, queues: [String]) {
        self.options = options
        self.queues = queues
    }

    /// What was found, by host.
    public func findings() async -> [Finding] {
        var findings: [Finding] = []
        for host in options.hosts { findings += await look(at: host) }
        return findings
    }

    /// Why the broker takes no messages at present (a memory or disk alarm), by the first host that answers; nil when it does.
    /// A broker tells it only to connections that publish, so a message to a queue that nobody has is sent.
    /// - Throws: `PortFault`.
    static func blockade(_ options: RabbitMQOptions) async throws -> String? {
        var fault = PortFault(.unusable, place: options.place, message: "QUEUE_HOST names no host")
        for host in options.hosts {
            do {
                return try await Link.open(options, host: host, name: "\(options.connectionName) (status)") {
                    let conversation = Conversation($0)
                    _ = try conversation.publishToNobody()
                    return conversation.blockade
                }
            } catch let error as PortFault { fault = error }
        }
        throw fault
    }

    private func look(at host: String) async -> [Finding] {
        let subject = "RabbitMQ \(options.virtualHost) on \(host):\(options.port)"
        do {
            return try await Link.open(options, host: host, name: "\(options.connectionName) (check)") {
                try Examination(Conversation($0), subject, options, queues).findings()
            }
        } catch {
            return [Finding(.failed, subject, (error as? PortFault)?.message ?? "\(error)")]
        }
    }
}

/// The questions to one host.
private struct Examination {
    private static let oldest = (3, 8)

    let conversation: Conversation
    let subject: String
    let options: RabbitMQOptions
    let queues: [String]

    init(_ conversation: Conversation, _ subject: String, _ options: RabbitMQOptions, _ queues: [String]) {
        self.conversation = conversation
        self.subject = subject
        self.options = options
        self.queues = queues
    }

    func findings() throws -> [Finding] {
        var missing: [String] = []
        var findings: [Finding] = []
        var forbidden: Set<String> = []
        var different: [(queue: String, how: String)] = []
        for queue in queues {
            switch try declare(queue, making: nil) {
            case .success(let waiting):
                if let how = try difference(of: queue) { different.append((queue, how)) }
                // To take from a queue lends a message, and a quorum queue counts how often: only an empty one is tried.
                if waiting == 0 { findings += try reading(queue, &forbidden) }
            case .failure(let refusal) where refusal.code == Refusal.notFound:
                missing.append(queue)
                if try lacksConfiguring(queue) { forbidden.insert("configure") }
            case .failure(let refusal): findings.append(Finding(.failed, subject, "\(queue): \(refusal.text)"))
            }
        }
        if let first = different.first {
            findings.append(
                Finding(
                    .warning, subject,
                    "\(different.map(\.queue).joined(separator: ", ")): other arguments than QUEUE_TYPE="
                        + "\(options.queueType.rawValue) gives (\(first.how)): used as it is, but programs that declare it so "
                        + "are refused"))
        }
        if try lacksWriting() { forbidden.insert("write") }
        findings += forbidden.sorted().map(lack)
        if let blockade = conversation.blockade {
            findings.append(
                Finding(.failed, subject, "takes no messages (\(blockade)): give the broker memory or disk space"))
        }
        return [version(missing)] + findings
    }

    private func version(_ missing: [String]) -> Finding {
        let properties = conversation.link.serverProperties
        let version = properties["version"] ?? "?"
        let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        let isOld = numbers.count == 2 && (numbers[0], numbers[1]) < Examination.oldest
        var text = "\(properties["product"] ?? "broker") \(version), \(options.tls ? "TLS" : "no TLS")"
        if missing.isEmpty {
            text += ", all \(queues.count) queues are there"
        } else {
            text += ", made at first use or by farm init: \(missing.joined(separator: ", "))"
        }
        return Finding(isOld ? .failed : .ok, subject, isOld ? "\(text): too old, farm needs 3.8 or newer" : text)
    }

    // MARK: Queues

    private func declare(_ queue: String, making type: RabbitMQOptions.QueueType?) throws -> Result<Int, Refusal> {
        try conversation.ask {
            try $0.declare(queue, making: type, on: Conversation.channel)
        } _: {
            if case .declared(_, let messages) = $0 { messages } else { nil }
        }
    }

    /// To declare a queue as it is changes nothing; with other arguments it is refused, and without the right to.
    private func difference(of queue: String) throws -> String? {
        guard case .failure(let refusal) = try declare(queue, making: options.queueType),
            refusal.code == Refusal.preconditionFailed
        else { return nil }
        return refusal.text
    }

    private func reading(_ queue: String, _ forbidden: inout Set<String>) throws -> [Finding] {
        let consumed = try conversation.ask {
            try $0.limit(prefetch: 1, on: Conversation.channel)
            try $0.consume(queue, on: Conversation.channel)
        } _: {
            if case .consuming = $0 { true } else { nil }
        }
        switch consumed {
        case .success: try conversation.closeChannel()
        case .failure(let refusal) where refusal.code == Refusal.accessRefused: forbidden.insert("read")
        case .failure(let refusal): return [Finding(.failed, subject, "\(queue): \(refusal.text)")]
        }
        return []
    }

    /// An argument that no broker accepts is looked at only where the right is there.
    private func lacksConfiguring(_ queue: String) throws -> Bool {
        let answer = try conversation.ask {
            try $0.declareInvalidly(queue, on: Conversation.channel)
        } _: {
            if case .declared = $0 { true } else { nil }
        }
        if case .failure(let refusal) = answer { return refusal.code == Refusal.accessRefused }
        return false
    }

    private func lacksWriting() throws -> Bool {
        if case .failure(let refusal) = try conversation.publishToNobody() {
            return refusal.code == Refusal.accessRefused
        }
        return false
    }

    private func lack(_ right: String) -> Finding {
        let purpose = ["configure": "make queues", "read": "take jobs", "write": "publish"]
        return Finding(
            .failed, subject,
            "\(options.user) lacks the right to \(right) (\(purpose[right] ?? right)): rabbitmqctl set_permissions -p "
                + "'\(options.virtualHost)' '\(options.user)' '.*' '.*' '.*'")
    }
}
