import Pipeline

/// Asks the broker about queues, creates and empties them, one after another on a separate channel, since a question
/// about a missing queue closes the channel.
struct QueueInquiries {
    enum Question {
        /// Whether the queue exists, and how many messages wait in it.
        case look
        case make(RabbitMQOptions.QueueType)
        /// Whether it is a classic queue without arguments.
        case classic
        /// Drops the messages that wait in it.
        case purge
    }

    /// A question.
    struct Request {
        var queue: String
        var question: Question
        /// nil once the caller has given up.
        var continuation: CheckedContinuation<Answer, any Error>?
        var begun = ContinuousClock.now
    }

    enum Answer: Sendable {
        /// The queue exists: this many messages wait, or were dropped, and it has this many consumers.
        case messages(Int, consumers: Int)
        case refused(Refusal)
    }

    static let channel: UInt16 = 1

    private var requests = Fifo<Request>()
    private var current: Request?
    private var isOpen = false

    mutating func ask(_ request: Request, _ connection: ManagedConnection) {
        requests.append(contentsOf: [request])
        next(connection)
    }

    mutating func opened(_ connection: ManagedConnection) {
        isOpen = true
        next(connection)
    }

    mutating func answered(_ answer: Answer, _ connection: ManagedConnection) {
        current?.continuation?.resume(returning: answer)
        current = nil
        next(connection)
    }

    mutating func closed(_ refusal: Refusal, _ connection: ManagedConnection) {
        isOpen = false
        connection.send { try $0.answerChannelClose(QueueInquiries.channel) }
        connection.send { try $0.openChannel(QueueInquiries.channel) }
        answered(.refused(refusal), connection)
    }

    /// Open questions are asked again on the next connection.
    mutating func lost() {
        isOpen = false
        requests.prepend(contentsOf: current.map { [$0] } ?? [])
        current = nil
    }

    mutating func fail(_ fault: PortFault, olderThan limit: Duration = .zero) {
        let now = ContinuousClock.now
        func isLate(_ request: Request) -> Bool { request.begun.duration(to: now) >= limit }
        if let late = current, isLate(late) {
            // Its answer may still come, so the channel is not used before that.
            late.continuation?.resume(throwing: fault)
            current?.continuation = nil
        }
        requests.removeAll {
            guard isLate($0) else { return false }
            $0.continuation?.resume(throwing: fault)
            return true
        }
    }

    private mutating func next(_ connection: ManagedConnection) {
        guard isOpen, current == nil, let request = requests.popFirst() else { return }
        current = request
        connection.send { amqp in
            switch request.question {
            case .look: try amqp.declare(request.queue, making: nil, on: QueueInquiries.channel)
            case .make(let type): try amqp.declare(request.queue, making: type, on: QueueInquiries.channel)
            case .classic: try amqp.declareClassic(request.queue, on: QueueInquiries.channel)
            case .purge: try amqp.purge(request.queue, on: QueueInquiries.channel)
            }
        }
    }
}
