import Logging
import Pipeline
import Waiting

/// Owns the publishing connection. Messages of all callers are sent one after another, up to a window ahead of their
/// confirmations.
///
/// If the connection is lost, what was not confirmed is sent again on the next one. A broker that lacks memory or disk
/// space says so (connection.blocked) and takes nothing more. Then callers wait, at most `patience` without any
/// progress.
actor Publisher: ConnectionOwner {
    private struct Entry {
        var parcel: Parcel
        var batch: Batch
        /// Its place in the batch.
        var place: Int
        var isReturned = false
    }

    /// How many messages may be sent ahead of the confirmations.
    static let window = 500
    private static let channel: UInt16 = 1

    let connection: ManagedConnection
    private let executor: QueueExecutor
    private var pending = Fifo<Entry>()
    private var sent = Window<Entry>()
    private var batches: [Int: Batch] = [:]
    private var lastID = 0
    private var isReady = false
    /// Why the broker takes nothing.
    private(set) var blockade: String?
    private var lastProgress = ContinuousClock.now
    /// How many messages are sent one by one. When the broker has closed the channel over one of several messages, this
    /// finds out which.
    private var suspects = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ options: RabbitMQOptions, time: any Timekeeper, log: Logger) {
        executor = QueueExecutor(label: "farm.rabbitmq.publishing")
        connection = ManagedConnection(
            options, role: "publishing", queue: executor.queue, time: time, log: log, events: options.events)
    }

    /// Returns when each message has its answer, when there was no progress for `patience`, or soon after the task is
    /// cancelled.
    /// - Returns: the messages that are not known to be in their queues, by their places.
    func publish(_ parcels: [Parcel], patience: Duration? = nil) async -> [Int: Refused] {
        guard !parcels.isEmpty else { return [:] }
        lastID += 1
        let id = lastID
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let batch = Batch(parcels.count, patience ?? connection.options.patience, continuation)
                guard !connection.isEnded else { return batch.end(connection.fault("the connection was closed")) }
                guard !Task.isCancelled else { return batch.end(connection.fault("cancelled")) }
                if pending.isEmpty && sent.count == 0 { lastProgress = .now }
                batches[id] = batch
                pending.append(
                    contentsOf: parcels.enumerated().map { Entry(parcel: $1, batch: batch, place: $0) })
                pump()
            }
        } onCancel: {
            executor.queue.async { self.assumeIsolated { $0.end(id, $0.connection.fault("cancelled")) } }
        }
    }

    private func end(_ id: Int, _ fault: PortFault) {
        guard let batch = batches.removeValue(forKey: id) else { return }
        batch.end(fault)
        pending.removeAll { $0.batch.isOver }
    }

    private func endAll(_ fault: PortFault) {
        for batch in batches.values { batch.end(fault) }
        batches = [:]
        pending = Fifo()
    }

    // MARK: Sending

    private func pump() {
        guard isReady, blockade == nil, let amqp = connection.amqp else { return }
        let window = suspects > 0 ? 1 : Publisher.window
        // A queue may never answer for messages that nobody waits for any more, so these do not count here.
        var underWay = batches.values.reduce(0) { $0 + $1.rest - $1.unsent }
        while underWay < window, !pending.isEmpty {
            guard amqp.isWritable else {
                return connection.whenWritable { [weak self] in
                    self?.assumeIsolated {
                        $0.connection.stopWaitingToWrite()
                        $0.pump()
                    }
                }
            }
            guard let entry = pending.popFirst() else { return }
            if entry.batch.isOver { continue }
            underWay += 1
            sent.append(entry)
            entry.batch.unsent -= 1
            guard connection.send({ try $0.publish(entry.parcel, on: Publisher.channel) }) else { return }
        }
    }

    // MARK: Answers

    func received(_ frame: Frame) {
        switch frame {
        case .channelOpened: connection.send { try $0.selectConfirms(Publisher.channel) }
        case .confirmsSelected: isReady = true
        case .confirmed(let tag, let multiple, let isPositive): settle(tag, multiple, isPositive)
        case .returned(let queue, let content):
            sent.updateFirst {
                !$0.isReturned && $0.parcel.queue == queue && $0.parcel.body == content.body
            } _: {
                $0.isReturned = true
            }
        case .channelClosed(_, let refusal): channelClosed(refusal)
        case .blocked(let reason):
            if blockade == nil {
                connection.log.warning("\(connection.name): the broker takes no messages (\(reason)): publishing waits")
            }
            blockade = reason
        case .unblocked:
            if blockade != nil { connection.log.notice("\(connection.name): the broker takes messages again") }
            blockade = nil
        default: break
        }
    }

    private func settle(_ tag: UInt64, _ multiple: Bool, _ isPositive: Bool) {
        lastProgress = .now
        for entry in sent.settle(tag, multiple: multiple) {
            suspects = max(0, suspects - 1)
            entry.batch.answer(
                entry.place, !isPositive ? .fault(refusal(entry.parcel)) : entry.isReturned ? .returned : nil)
        }
    }

    private func refusal(_ parcel: Parcel) -> PortFault {
        connection.fault(
            "\(parcel.queue): the broker refused a message (basic.nack, without a reason); perhaps the queue is full "
                + "(x-max-length with x-overflow reject-publish)")
    }

    /// The broker closes a channel if it refuses a message, and forgets what else was in progress on it.
    private func channelClosed(_ refusal: Refusal) {
        isReady = false
        connection.send { try $0.answerChannelClose(Publisher.channel) }
        let entries = takeUnconfirmed()
        if refusal.code == Refusal.accessRefused {
            endAll(connection.fault("the broker said: \(refusal.text)\(connection.options.perhapsRights)", .unusable))
        } else if entries.count == 1, let entry = entries.first {
            entry.batch.answer(
                entry.place,
                .fault(connection.fault("\(entry.parcel.queue): the broker said: \(refusal.text)", .refused)))
        } else {
            prepend(entries)
            suspects = entries.count
        }
        connection.send { try $0.openChannel(Publisher.channel) }
    }

    func drained() {
        batches = batches.filter { !$0.value.isOver }
        pump()
    }

    // MARK: The connection's life

    func opened() {
        connection.send { try $0.openChannel(Publisher.channel) }
    }

    func lost(_ fault: PortFault) {
        (isReady, blockade) = (false, nil)
        prepend(takeUnconfirmed())
        if connection.isEnded { endAll(fault) }
    }

    func failed(_ fault: PortFault) { endAll(fault) }

    func ticked() {
        let now = ContinuousClock.now
        for (id, batch) in batches {
            // Messages that were not sent yet wait for others; those that were sent, only for their own queue.
            let last = batch.unsent > 0 ? max(lastProgress, batch.lastProgress) : batch.lastProgress
            guard last.duration(to: now) > batch.patience else { continue }
            let cause = blockade.map { "the broker takes no messages (\($0))" } ?? connection.fault?.message
            end(id, connection.fault(cause ?? "the broker has not confirmed \(batch.rest) messages"))
        }
    }

    private func takeUnconfirmed() -> [Entry] {
        sent.reset().filter { !$0.batch.isOver }.map { Entry(parcel: $0.parcel, batch: $0.batch, place: $0.place) }
    }

    private func prepend(_ entries: [Entry]) {
        for entry in entries { entry.batch.unsent += 1 }
        pending.prepend(contentsOf: entries)
    }
}
