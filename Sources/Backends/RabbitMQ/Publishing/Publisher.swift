import Logging
import Pipeline

/// Owns the publishing connection: messages of all callers go out one after another, up to a window ahead of their
/// confirmations.
///
/// When the connection is lost, what was not confirmed is sent again on the next one. A broker that is short of memory or
/// disk says so (connection.blocked) and takes nothing more: callers wait, at most `patience` without any progress.
actor Publisher: LineOwner {
    /// What one call of `publish` waits for.
    private final class Batch {
        var rest: Int
        var returned: [Message] = []
        var continuation: CheckedContinuation<[Message], any Error>?
        let begun = ContinuousClock.now

        init(_ count: Int, _ continuation: CheckedContinuation<[Message], any Error>) {
            rest = count
            self.continuation = continuation
        }

        var isOver: Bool { continuation == nil }

        func end(_ result: Result<[Message], any Error>) {
            continuation?.resume(with: result)
            continuation = nil
        }
    }

    private struct Entry {
        var message: Message
        var batch: Batch
        var isReturned = false
    }

    /// How far sending is ahead of the confirmations.
    static let window = 500
    private static let channel: UInt16 = 1

    let line: Line
    private let executor: ConnectionExecutor
    private var pending = Fifo<Entry>()
    private var sent = Window<Entry>()
    private var batches: [Int: Batch] = [:]
    private var lastID = 0
    private var isReady = false
    /// Why the broker takes nothing.
    private(set) var blockade: String?
    private var lastProgress = ContinuousClock.now
    /// After the broker has closed the channel over one of several messages they are sent one by one, to find which.
    private var suspects = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ options: RabbitMQOptions, time: any Timekeeper, log: Logger) {
        executor = ConnectionExecutor(label: "farm.rabbitmq.publishing")
        line = Line(options, role: "publishing", queue: executor.queue, time: time, log: log)
    }

    /// Returns when all are confirmed.
    /// - Returns: those that the broker could not route, because their queue is not there.
    /// - Throws: `PortFault`, `CancellationError`.
    func publish(_ messages: [Message]) async throws -> [Message] {
        guard !line.isEnded else { throw line.fault("the connection was closed") }
        lastID += 1
        let id = lastID
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                if pending.isEmpty && sent.count == 0 { lastProgress = .now }
                let batch = Batch(messages.count, continuation)
                batches[id] = batch
                pending.append(contentsOf: messages.map { Entry(message: $0, batch: batch) })
                pump()
            }
        } onCancel: {
            executor.queue.async { self.assumeIsolated { $0.end(id, .failure(CancellationError())) } }
        }
    }

    private func end(_ id: Int, _ result: Result<[Message], any Error>) {
        guard let batch = batches.removeValue(forKey: id) else { return }
        batch.end(result)
        pending.removeAll { $0.batch.isOver }
    }

    private func endAll(_ fault: PortFault) {
        for batch in batches.values { batch.end(.failure(fault)) }
        batches = [:]
        pending = Fifo()
    }

    // MARK: Sending

    private func pump() {
        guard isReady, blockade == nil, let link = line.link else { return }
        let window = suspects > 0 ? 1 : Publisher.window
        while sent.count < window, !pending.isEmpty {
            guard link.isWritable else {
                return line.whenWritable { [weak self] in
                    self?.assumeIsolated {
                        $0.line.stopWaitingToWrite()
                        $0.pump()
                    }
                }
            }
            guard let entry = pending.popFirst() else { return }
            if entry.batch.isOver { continue }
            sent.append(entry)
            guard line.send({ try $0.publish(entry.message, on: Publisher.channel) }) else { return }
        }
    }

    // MARK: Answers

    func received(_ frame: Frame) {
        switch frame {
        case .channelOpened: line.send { try $0.selectConfirms(Publisher.channel) }
        case .confirmsSelected: isReady = true
        case .confirmed(let tag, let multiple, let isPositive): settle(tag, multiple, isPositive)
        case .returned(let queue, let content):
            sent.updateFirst {
                !$0.isReturned && $0.message.queue == queue && $0.message.body == content.body
            } _: {
                $0.isReturned = true
            }
        case .channelClosed(_, let refusal): channelClosed(refusal)
        case .blocked(let reason):
            if blockade == nil {
                line.log.warning("\(line.name): the broker takes no messages (\(reason)): publishing waits")
            }
            blockade = reason
        case .unblocked:
            if blockade != nil { line.log.notice("\(line.name): the broker takes messages again") }
            blockade = nil
        default: break
        }
    }

    private func settle(_ tag: UInt64, _ multiple: Bool, _ isPositive: Bool) {
        lastProgress = .now
        for entry in sent.settle(tag, multiple: multiple) {
            suspects = max(0, suspects - 1)
            guard !entry.batch.isOver else { continue }
            guard isPositive else {
                entry.batch.end(
                    .failure(
                        line.fault("\(entry.message.queue): the broker did not take a message: is the queue full?")))
                continue
            }
            if entry.isReturned { entry.batch.returned.append(entry.message) }
            entry.batch.rest -= 1
            if entry.batch.rest == 0 { entry.batch.end(.success(entry.batch.returned)) }
        }
    }

    /// The broker closes a channel over a message that it refuses, and forgets what else was under way on it.
    private func channelClosed(_ refusal: Refusal) {
        isReady = false
        line.send { try $0.answerChannelClose(Publisher.channel) }
        let entries = takeUnconfirmed()
        if refusal.code == Refusal.accessRefused {
            endAll(
                line.fault(
                    "the broker said \(refusal.text): the user \(line.options.user) needs the right to write: "
                        + "rabbitmqctl set_permissions", .unusable))
        } else if entries.count == 1, let entry = entries.first {
            entry.batch.end(.failure(line.fault("\(entry.message.queue): the broker said \(refusal.text)", .refused)))
        } else {
            pending.prepend(contentsOf: entries)
            suspects = entries.count
        }
        line.send { try $0.openChannel(Publisher.channel) }
    }

    func drained() {
        batches = batches.filter { !$0.value.isOver }
        pump()
    }

    // MARK: The connection's life

    func opened() {
        line.send { try $0.openChannel(Publisher.channel) }
    }

    func lost(_ fault: PortFault) {
        (isReady, blockade) = (false, nil)
        pending.prepend(contentsOf: takeUnconfirmed())
        if line.isEnded { endAll(fault) }
    }

    func failed(_ fault: PortFault) { endAll(fault) }

    func ticked() {
        let now = ContinuousClock.now
        for (id, batch) in batches where max(lastProgress, batch.begun).duration(to: now) > line.options.patience {
            let cause = blockade.map { "the broker takes no messages (\($0))" } ?? line.fault?.message
            end(id, .failure(line.fault(cause ?? "the broker has not confirmed \(batch.rest) messages")))
        }
    }

    private func takeUnconfirmed() -> [Entry] {
        sent.reset().filter { !$0.batch.isOver }.map { Entry(message: $0.message, batch: $0.batch) }
    }
}
