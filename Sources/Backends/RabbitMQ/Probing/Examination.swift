import Pipeline

/// The questions of a check to one host.
struct Examination {
    private static let oldest = (3, 8)

    private let publishing: Conversation
    private let conversation: Conversation
    private let subject: String
    private let options: RabbitMQOptions
    private let queues: [String]
    private let consumers: Int

    init(
        _ publishing: Conversation, _ consuming: Conversation, _ subject: String, _ options: RabbitMQOptions,
        _ queues: [String], _ consumers: Int
    ) {
        self.publishing = publishing
        conversation = consuming
        self.subject = subject
        self.options = options
        self.queues = queues
        self.consumers = consumers
    }

    /// What has been found out about the queues so far.
    private struct Survey {
        var missing: [String] = []
        var findings: [CheckFinding] = []
        var forbidden: Set<String> = []
        /// Queues with other arguments than the settings, with the broker's words.
        var different: [(queue: String, how: String)] = []
        /// Queues that are neither classic nor as farm declares them.
        var counting: [String] = []
    }

    func findings() throws -> [CheckFinding] {
        var survey = Survey()
        for queue in queues {
            try look(at: queue, &survey)
            try look(at: queue + ".dead", &survey)
        }
        if try lacksWriting() { survey.forbidden.insert("write") }
        var findings = [version(survey.missing.filter { !$0.hasSuffix(".dead") })] + survey.findings
        findings += differences(survey) + survey.forbidden.sorted().map(lack)
        if let blockade = publishing.blockade {
            findings.append(
                CheckFinding(.failed, subject, "takes no messages (\(blockade)): give the broker memory or disk space"))
        }
        // This comes last, since a broker may end the connection if there are too many channels.
        return findings + channels()
    }

    private func version(_ missing: [String]) -> CheckFinding {
        let properties = conversation.amqp.serverProperties
        let version = properties["version"] ?? "?"
        let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        let isOld = numbers.count == 2 && (numbers[0], numbers[1]) < Examination.oldest
        var text = "\(properties["product"] ?? "broker") \(version), \(options.tls ? "TLS" : "no TLS")"
        if missing.isEmpty {
            text += ", all \(queues.count) queues are there"
        } else {
            text += ", made at first use or by farm init: \(missing.joined(separator: ", "))"
        }
        return CheckFinding(isOld ? .failed : .ok, subject, isOld ? "\(text): too old, farm needs 3.8 or newer" : text)
    }

    // MARK: Channels

    /// One channel for each consumer, and one to ask about queues.
    private func channels() -> [CheckFinding] {
        let need = consumers + 1
        if let most = conversation.amqp.mostChannels, most < need {
            return [
                CheckFinding(
                    .failed, subject,
                    "allows \(most) channels on a connection, and the roles of this machine need \(need) in farm up: raise channel_max in "
                        + "rabbitmq.conf, or run fewer roles in one process")
            ]
        }
        do { try conversation.openChannels(upTo: UInt16(clamping: need)) } catch {
            let cause = (error as? PortFault)?.message ?? "\(error)"
            return [
                CheckFinding(
                    .failed, subject,
                    "\(need) channels on a connection, as the roles of this machine need in farm up: \(cause); perhaps a limit of the "
                        + "user (rabbitmqctl list_user_limits)")
            ]
        }
        return []
    }

    // MARK: Queues

    private func look(at queue: String, _ survey: inout Survey) throws {
        switch try declare({ try $0.declare(queue, making: nil, on: Conversation.channel) }) {
        case .success(let waiting):
            let isStream = try arguments(of: queue, &survey)
            if !isStream { survey.findings += try reading(queue, isEmpty: waiting == 0, &survey.forbidden) }
        case .failure(let refusal) where refusal.code == Refusal.notFound:
            survey.missing.append(queue)
            if try lacksConfiguring(queue) { survey.forbidden.insert("configure") }
        case .failure(let refusal):
            survey.findings.append(CheckFinding(.failed, subject, "\(queue): the broker said: \(refusal.text)"))
        }
    }

    private func declare(_ request: (AMQPConnection) throws -> Void) throws -> Result<Int, Refusal> {
        try conversation.ask(request) { if case .declared(_, let messages, _) = $0 { messages } else { nil } }
    }

    /// Declaring a queue as it is changes nothing. With other arguments, or without the right to declare, it is
    /// refused.
    /// - Returns: whether it is a stream.
    private func arguments(of queue: String, _ survey: inout Survey) throws -> Bool {
        let channel = Conversation.channel
        // Without this argument, the virtual host's default type may apply.
        let classic = try declare { try $0.declareClassic(queue, on: channel) }
        if case .success = classic, options.queueType == .classic { return false }
        let own = try declare { try $0.declare(queue, making: options.queueType, on: channel) }
        if case .failure(let refusal) = own, refusal.code == Refusal.preconditionFailed {
            survey.different.append((queue, refusal.text))
            if case .success = try declare({ try $0.declareStream(queue, on: channel) }) {
                survey.findings.append(
                    CheckFinding(
                        .failed, subject,
                        "\(queue): a stream, from which no jobs can be taken: rabbitmqctl delete_queue -p "
                            + "'\(options.virtualHost)' \(queue), then farm init"))
                survey.different.removeLast()
                return true
            }
        }
        if case .success = classic { return false }
        // Quorum queues that farm declares have a limit that is never reached.
        if case .success = own, options.queueType == .quorum { return false }
        if case .failure(let refusal) = classic, refusal.code == Refusal.preconditionFailed {
            survey.counting.append(queue)
        }
        return false
    }

    private func differences(_ survey: Survey) -> [CheckFinding] {
        var findings: [CheckFinding] = []
        if let first = survey.different.first {
            findings.append(
                CheckFinding(
                    .warning, subject,
                    "\(survey.different.map(\.queue).joined(separator: ", ")): other arguments than QUEUE_TYPE="
                        + "\(options.queueType.rawValue) gives (the broker said: \(first.how)): used as it is, but programs that "
                        + "declare it so are refused. A maximum length, an expiry, auto_delete or a queue that is not durable "
                        + "lets the broker drop jobs, and farm cannot see that"))
        }
        if !survey.counting.isEmpty {
            findings.append(
                CheckFinding(
                    .warning, subject,
                    "\(survey.counting.joined(separator: ", ")): perhaps with a delivery limit, which AMQP does not tell (quorum "
                        + "queues have one of 20 since RabbitMQ 4.0, and policies may set one). What farm gives back does not count; "
                        + "lost connections and other programs do, and what comes too often is dropped unless there is a "
                        + "dead-letter exchange: see docs/operating.md, Delivery limits"))
        }
        return findings
    }

    /// Consuming lends a message, and a quorum queue counts that. So a queue with messages is asked for something that
    /// it refuses, which it does only if the right to read is there.
    private func reading(
        _ queue: String, isEmpty: Bool, _ forbidden: inout Set<String>
    ) throws -> [CheckFinding] {
        let consumed = try conversation.ask { amqp in
            try amqp.limit(prefetch: 1, on: Conversation.channel)
            if isEmpty {
                try amqp.consume(queue, on: Conversation.channel)
            } else {
                try amqp.consumeStream(queue, on: Conversation.channel)
            }
        } _: {
            if case .consuming = $0 { true } else { nil }
        }
        switch consumed {
        case .success: try conversation.closeChannel()
        case .failure(let refusal) where refusal.code == Refusal.accessRefused: forbidden.insert("read")
        case .failure(let refusal) where !isEmpty && refusal.code == Refusal.preconditionFailed: break
        case .failure(let refusal):
            return [CheckFinding(.failed, subject, "\(queue): the broker said: \(refusal.text)")]
        }
        return []
    }

    // MARK: Rights

    /// An argument that no broker accepts is checked only if the right is there.
    private func lacksConfiguring(_ queue: String) throws -> Bool {
        let answer = try declare { try $0.declareInvalidly(queue, on: Conversation.channel) }
        if case .failure(let refusal) = answer { return refusal.code == Refusal.accessRefused }
        return false
    }

    private func lacksWriting() throws -> Bool {
        if case .failure(let refusal) = try publishing.publishToNobody() {
            return refusal.code == Refusal.accessRefused
        }
        return false
    }

    private func lack(_ right: String) -> CheckFinding {
        let purpose = ["configure": "make queues", "read": "take jobs", "write": "publish"]
        return CheckFinding(
            .failed, subject,
            "\(options.user) lacks the right to \(right) (\(purpose[right] ?? right)): rabbitmqctl set_permissions -p "
                + "'\(options.virtualHost)' '\(options.user)' '.*' '.*' '.*'")
    }
}
