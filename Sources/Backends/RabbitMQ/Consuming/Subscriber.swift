import Logging
import Pipeline
import Waiting

/// Owns the consuming connection: one channel for each consumer, and one to ask about queues and create them. A broker
/// that takes no messages does not read from the publishing connection.
actor Subscriber: ConnectionOwner {
    let connection: ManagedConnection
    let publisher: Publisher
    private let executor: QueueExecutor
    var inquiries = QueueInquiries()
    var subscriptions: [UInt16: Subscription] = [:]
    /// Whether a queue counts returned messages, as far as this connection has found out.
    var counting: [String: Bool] = [:]
    private var lastEpoch: Int64 = 0
    private var lastID = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter publisher: publishes the copies of messages that go back.
    init(_ options: RabbitMQOptions, publisher: Publisher, time: any Timekeeper, log: Logger) {
        self.publisher = publisher
        executor = QueueExecutor(label: "farm.rabbitmq.consuming")
        connection = ManagedConnection(
            options, role: "consuming", queue: executor.queue, time: time, log: log, events: options.events)
    }

    /// Gives back what is unsettled, sends the last acknowledgements, and says good-bye.
    func close() async {
        for channel in subscriptions.keys.sorted() { await close(channel) }
        for subscription in subscriptions.values { sendAcknowledgements(subscription) }
        await disconnect()
    }

    func checkAlive() throws {
        guard !connection.isEnded else { throw connection.fault("the connection was closed") }
    }

    // MARK: Consumers

    /// - Returns: the number of the consumer.
    func subscribe(_ queue: String, prefetch: Int) throws -> UInt16 {
        try checkAlive()
        guard let channel = (2...2000).first(where: { subscriptions[$0] == nil }) else {
            throw connection.fault("\(queue): too many consumers on one connection")
        }
        if let fault = lackOfChannels(channel, queue) { throw fault }
        let subscription = Subscription(
            queue: queue, prefetch: min(max(1, prefetch), Int(UInt16.max)), channel: channel)
        subscriptions[channel] = subscription
        open(subscription)
        return channel
    }

    func next(_ channel: UInt16, upTo limit: Int) async throws -> [Delivery] {
        try Task.checkCancellation()
        guard let subscription = subscriptions[channel], !subscription.isClosed else { throw CancellationError() }
        if let fault = subscription.fault {
            subscription.fault = nil
            throw fault
        }
        lastID += 1
        let id = lastID
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                subscription.isWanted = true
                subscription.takers.append((id, max(1, limit), continuation))
                subscription.serve()
                consume(subscription)
            }
        } onCancel: {
            executor.queue.async { self.assumeIsolated { $0.cancel(channel, id) } }
        }
    }

    private func cancel(_ channel: UInt16, _ id: Int) {
        guard let subscription = subscriptions[channel],
            let index = subscription.takers.firstIndex(where: { $0.id == id })
        else { return }
        subscription.takers.remove(at: index).continuation.resume(throwing: CancellationError())
    }

    /// Each acknowledgement costs the broker something, so they gather until a quarter of the prefetch is free, but
    /// only for a moment.
    func acknowledge(_ channel: UInt16, _ receipts: [Receipt]) {
        guard let subscription = subscriptions[channel] else { return }
        let tags = subscription.tags(receipts)
        guard !tags.isEmpty else { return }
        let isFirst = subscription.acknowledgements.count == 0
        subscription.acknowledgements.add(tags.count, subscription.unsettled.settle(tags))
        if subscription.acknowledgements.count >= subscription.prefetch / 4 {
            sendAcknowledgements(subscription)
        } else if isFirst {
            connection.after(.milliseconds(1)) { [weak self] in
                self?.assumeIsolated { $0.subscriptions[channel].map($0.sendAcknowledgements) }
            }
        }
        subscription.serve()
    }

    func sendAcknowledgements(_ subscription: Subscription) {
        for verdict in subscription.acknowledgements.takeAll() {
            connection.send { try $0.acknowledge(verdict.tag, multiple: verdict.multiple, on: subscription.channel) }
        }
    }

    /// Some queues count messages that come back in this way: see `giveBack`.
    func reject(_ tags: [UInt64], _ subscription: Subscription) {
        // "All up to" must not include messages that were acknowledged.
        sendAcknowledgements(subscription)
        for verdict in subscription.unsettled.settle(tags) {
            connection.send { try $0.giveBack(verdict.tag, multiple: verdict.multiple, on: subscription.channel) }
        }
        subscription.serve()
    }

    /// The messages of these receipts, if the receipts are valid.
    func contents(_ channel: UInt16, _ receipts: [Receipt]) -> [Receipt: Frame.Content] {
        guard let subscription = subscriptions[channel] else { return [:] }
        return receipts.reduce(into: [:]) { contents, receipt in
            guard receipt.epoch == subscription.epoch else { return }
            contents[receipt] = subscription.unsettled[UInt64(bitPattern: receipt.tag)]
        }
    }

    /// How many deliveries of a queue are held here unsettled.
    func held(_ queue: String) -> Int {
        subscriptions.values.reduce(0) { $0 + ($1.queue == queue ? $1.unsettled.count : 0) }
    }

    /// Returns when the broker has everything back, or is out of reach and takes it back by itself.
    func close(_ channel: UInt16) async {
        guard let subscription = subscriptions[channel], !subscription.isClosed else { return }
        subscription.isClosed = true
        subscription.fail(CancellationError())
        await stop(subscription)
        await giveBackAll(subscription)
        guard subscriptions[channel] === subscription else { return }
        switch subscription.phase {
        case .idle, .consuming, .cancelling:
            subscription.phase = .closing
            reject(subscription.unsettled.tags, subscription)
            connection.send { try $0.closeChannel(channel) }
            await withCheckedContinuation { subscription.waitingForQuiet.append($0) }
        case .opening:
            // Nothing was taken. The channel is closed as soon as it is open.
            return
        case .closed, .closing: remove(channel)
        }
    }

    /// When this returns, another consumer may have its number.
    private func remove(_ channel: UInt16) {
        subscriptions.removeValue(forKey: channel)?.reset(.closed)
    }

    // MARK: Channels

    private func open(_ subscription: Subscription) {
        if let fault = lackOfChannels(subscription.channel, subscription.queue) { return fail(subscription, fault) }
        if connection.send({ try $0.openChannel(subscription.channel) }) { subscription.phase = .opening }
    }

    private func consume(_ subscription: Subscription) {
        guard subscription.phase == .idle, subscription.isWanted, !subscription.isQueueDoubtful else { return }
        (subscription.phase, subscription.isConfirmed) = (.consuming, false)
        connection.send { try $0.limit(prefetch: subscription.prefetch, on: subscription.channel) }
        connection.send { try $0.consume(subscription.queue, on: subscription.channel) }
    }

    func received(_ frame: Frame) {
        switch frame {
        case .delivered(let channel, let tag, let redelivered, let content):
            guard let subscription = subscriptions[channel], subscription.phase != .closing else { return }
            subscription.unsettled.append(tag, content)
            if content.returns != nil { counting[subscription.queue] = true }
            if content.returns ?? 0 > 0 {
                subscription.toRenew.append(tag)
            } else {
                subscription.ready.append((tag, redelivered || content.isCopy))
            }
        case .consuming(let channel): subscriptions[channel]?.isConfirmed = true
        case .declared(QueueInquiries.channel, let messages, let consumers):
            inquiries.answered(.messages(messages, consumers: consumers), connection)
        case .purged(QueueInquiries.channel, let messages):
            inquiries.answered(.messages(messages, consumers: 0), connection)
        case .channelOpened(QueueInquiries.channel): inquiries.opened(connection)
        case .channelOpened(let channel): channelOpened(channel)
        case .channelClosed(QueueInquiries.channel, let refusal): inquiries.closed(refusal, connection)
        case .channelClosed(let channel, let refusal): channelClosed(channel, refusal)
        case .channelCloseOK(let channel): remove(channel)
        case .consumerCancelOK(let channel): consumerCancelled(channel)
        case .consumerCancelled(let channel):
            subscriptions[channel]?.isQueueDoubtful = true
            consumerCancelled(channel)
        default: break
        }
    }

    private func channelOpened(_ channel: UInt16) {
        guard let subscription = subscriptions[channel], !subscription.isClosed else {
            subscriptions[channel]?.phase = .closing
            connection.send { try $0.closeChannel(channel) }
            return
        }
        lastEpoch += 1
        subscription.epoch = lastEpoch
        subscription.phase = .idle
        consume(subscription)
    }

    private func consumerCancelled(_ channel: UInt16) {
        guard let subscription = subscriptions[channel], subscription.phase != .closing else { return }
        subscription.phase = .idle
        subscription.quiet()
        consume(subscription)
    }

    private func channelClosed(_ channel: UInt16, _ refusal: Refusal) {
        connection.send { try $0.answerChannelClose(channel) }
        guard let subscription = subscriptions[channel] else { return }
        let isRefused = subscription.phase == .consuming && !subscription.isConfirmed
        subscription.reset(.closed)
        counting[subscription.queue] = nil
        if subscription.isClosed {
            remove(channel)
        } else if isRefused, let fault = connection.fault(consuming: subscription.queue, refusal) {
            fail(subscription, fault)
        } else {
            connection.log.warning(
                "\(connection.name): \(subscription.queue): the broker closed the channel: \(refusal.text)")
            subscription.isQueueDoubtful = true
        }
    }

    /// If there are too many channels, a broker ends the whole connection.
    private func lackOfChannels(_ channel: UInt16, _ queue: String) -> PortFault? {
        guard let most = connection.amqp?.mostChannels, channel > most else { return nil }
        return connection.fault(
            "\(queue): the broker allows \(most) channels on a connection, and this process needs more: raise channel_max in "
                + "rabbitmq.conf, or run fewer roles in one process", .unusable)
    }

    private func fail(_ subscription: Subscription, _ fault: PortFault) {
        // The callers that wait get the fault; if there are none, the next caller does.
        if subscription.takers.isEmpty { subscription.fault = fault } else { subscription.fail(fault) }
    }

    // MARK: The connection's life

    func opened() {
        counting = [:]
        connection.send { try $0.openChannel(QueueInquiries.channel) }
        for (channel, subscription) in subscriptions {
            if subscription.isClosed { remove(channel) } else { open(subscription) }
        }
    }

    func drained() {
        for subscription in subscriptions.values {
            subscription.serve()
            renewReturned(subscription)
        }
    }

    func lost(_ fault: PortFault) {
        inquiries.lost()
        for subscription in subscriptions.values { subscription.reset(.closed) }
        guard connection.isEnded else { return }
        inquiries.fail(fault)
        for subscription in subscriptions.values { subscription.fail(fault) }
    }

    func failed(_ fault: PortFault) {
        inquiries.fail(fault)
        for subscription in subscriptions.values { fail(subscription, fault) }
    }

    func ticked() {
        let cause = connection.fault?.message ?? "the broker does not answer"
        inquiries.fail(connection.fault(cause), olderThan: connection.options.patience)
        guard connection.amqp != nil else { return }
        for subscription in subscriptions.values where subscription.phase == .closed && !subscription.isClosed {
            open(subscription)
        }
        for (channel, subscription) in subscriptions where subscription.phase == .idle && subscription.isQueueDoubtful {
            Task { await look(channel) }
        }
    }

    /// The queue of a consumer may be gone. Then it is created again before it is consumed.
    private func look(_ channel: UInt16) async {
        guard let subscription = subscriptions[channel], subscription.isQueueDoubtful else { return }
        do {
            try await declare(subscription.queue)
            subscription.isQueueDoubtful = false
            consume(subscription)
        } catch let fault as PortFault where fault.kind == .unusable {
            fail(subscription, fault)
        } catch {
            connection.log.debug("\(connection.name): \(error)")
        }
    }
}
