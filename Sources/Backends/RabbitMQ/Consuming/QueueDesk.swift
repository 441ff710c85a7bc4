import Pipeline

/// Asks the broker about queues and makes them, one after another on a channel of its own: a question about a queue that
/// is not there costs the channel.
struct QueueDesk {
    /// What is asked.
    struct Request {
        var queue: String
        /// nil only asks whether it is there.
        var making: RabbitMQOptions.QueueType?
        /// nil once it was given up.
        var continuation: CheckedContinuation<Answer, any Error>?
        var begun = ContinuousClock.now
    }

    enum Answer: Sendable {
        /// It is there, with so many messages that wait.
        case messages(Int)
        case refused(Refusal)
    }

    static let channel: UInt16 = 1

    private var requests = Fifo<Request>()
    private var current: Request?
    private var isOpen = false

    mutating func ask(_ request: Request, _ line: Line) {
        requests.append(contentsOf: [request])
        next(line)
    }

    mutating func opened(_ line: Line) {
        isOpen = true
        next(line)
    }

    mutating func answered(_ answer: Answer, _ line: Line) {
        current?.continuation?.resume(returning: answer)
        current = nil
        next(line)
    }

    mutating func closed(_ refusal: Refusal, _ line: Line) {
        isOpen = false
        line.send { try $0.answerChannelClose(QueueDesk.channel) }
        line.send { try $0.openChannel(QueueDesk.channel) }
        answered(.refused(refusal), line)
    }

    /// What was asked is asked again on the next connection.
    mutating func lost() {
        isOpen = false
        requests.prepend(contentsOf: current.map { [$0] } ?? [])
        current = nil
    }

    mutating func fail(_ fault: PortFault, olderThan limit: Duration = .zero) {
        let now = ContinuousClock.now
        func isLate(_ request: Request) -> Bool { request.begun.duration(to: now) >= limit }
        if let late = current, isLate(late) {
            // Its answer may still come: the channel is not used before.
            late.continuation?.resume(throwing: fault)
            current?.continuation = nil
        }
        requests.removeAll {
            guard isLate($0) else { return false }
            $0.continuation?.resume(throwing: fault)
            return true
        }
    }

    private mutating func next(_ line: Line) {
        guard isOpen, current == nil, let request = requests.popFirst() else { return }
        current = request
        line.send { try $0.declare(request.queue, making: request.making, on: QueueDesk.channel) }
    }
}
