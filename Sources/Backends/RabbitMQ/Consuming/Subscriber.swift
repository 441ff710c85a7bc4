import Logging
import Pipeline
import Waiting

/// Owns the consuming connection: a channel per consumer, and one to ask about queues and make them, because a broker that
/// takes no messages does not hear what comes on the publishing connection.
actor Subscriber: LineOwner {
    let line: Line
    let publisher: Publisher
    private let executor: ConnectionExecutor
    private var desk = QueueDesk()
    var subscriptions: [UInt16: Subscription] = [:]
    /// Whether a queue counts what it has back, as far as this connection has found out.
    var counting: [String: Bool] = [:]
    private var lastEpoch: Int64 = 0
    private var lastID = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter publisher: of the copies of what is to go back.
    init(_ options: RabbitMQOptions, publisher: Publisher, time: any Timekeeper, log: Logger) {
        self.publisher = publisher
        executor = ConnectionExecutor(label: "farm.rabbitmq.consuming")
        line = Line(options, role: "consuming", queue: executor.queue, time: time, log: log)
    }

    // MARK: Queues

    /// Looks for a queue and makes it if it is missing; one that is there is used as it is, whatever its arguments.
    func declare(_ queue: String) async throws {
        if try await messages(in: queue) != nil { return }
        guard case .refused(let refusal) = try await ask(queue, .make(line.options.queueType)) else { return }
        // Somebody else may have made it meanwhile, with arguments of their own.
        if refusal.code == Refusal.preconditionFailed, try await messages(in: queue) != nil { return }
        throw line.fault(over: queue, refusal)
    }

    /// How many messages wait; nil when there is no such queue.
    func messages(in queue: String) async throws -> Int? { try await count(queue, .look)?.messages }

    /// How many messages wait and how many consumers take them; nil when there is no such queue.
    func look(at queue: String) async throws -> (messages: Int, consumers: Int)? { try await count(queue, .look) }

    /// Drops what waits.
    /// - Returns: how many messages; nil when there is no such queue.
    func purge(_ queue: String) async throws -> Int? { try await count(queue, .purge)?.messages }

    private func count(
        _ queue: String, _ question: QueueDesk.Question
    ) async throws -> (messages: Int, consumers: Int)? {
        switch try await ask(queue, question) {
        case .messages(let count, let consumers): return (count, consumers)
        case .refused(let refusal) where refusal.code == Refusal.notFound && !refusal.text.contains("inaccessible"):
            return nil
        case .refused(let refusal): throw line.fault(over: queue, refusal)
        }
    }

    func ask(_ queue: String, _ question: QueueDesk.Question) async throws -> QueueDesk.Answer {
        try checkAlive()
        return try await withCheckedThrowingContinuation {
            desk.ask(QueueDesk.Request(queue: queue, question: question, continuation: $0), line)
        }
    }

    /// Gives back what is unsettled, sends what was acknowledged, then says good-bye.
    func close() async {
        for channel in subscriptions.keys.sorted() { await close(channel) }
        for subscription in subscriptions.values { sendAcknowledgements(subscription) }
        await disconnect()
    }

    private func checkAlive() throws {
        guard !line.isEnded else { throw line.fault("the connection was closed") }
    }

    // MARK: Consumers

    /// - Returns: the number that the consumer is known by.
    func subscribe(_ queue: String, prefetch: Int) throws -> UInt16 {
        try checkAlive()
        guard let channel = (2...2000).first(where: { subscriptions[$0] == nil }) else {
            throw line.fault("\(queue): too many consumers on one connection")
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

    /// A broker pays for every acknowledgement that it receives: they gather until a quarter of the prefetch is free, but no
    /// longer than a moment.
    func acknowledge(_ channel: UInt16, _ receipts: [Receipt]) {
        guard let subscription = subscriptions[channel] else { return }
        let tags = subscription.tags(receipts)
        guard !tags.isEmpty else { return }
        let isFirst = subscription.acknowledgements.count == 0
        subscription.acknowledgements.add(tags.count, subscription.unsettled.settle(tags))
        if subscription.acknowledgements.count >= subscription.prefetch / 4 {
            sendAcknowledgements(subscription)
        } else if isFirst {
            line.after(.milliseconds(1)) { [weak self] in
                self?.assumeIsolated { $0.subscriptions[channel].map($0.sendAcknowledgements) }
            }
        }
        subscription.serve()
    }

    func sendAcknowledgements(_ subscription: Subscription) {
        for verdict in subscription.acknowledgements.takeAll() {
            line.send { try $0.acknowledge(verdict.tag, multiple: verdict.multiple, on: subscription.channel) }
        }
    }

    /// What the broker has back so is counted by some queues: see `giveBack`.
    func reject(_ tags: [UInt64], _ subscription: Subscription) {
        // "All up to" must not reach what was acknowledged.
        sendAcknowledgements(subscription)
        for verdict in subscription.unsettled.settle(tags) {
            line.send { try $0.giveBack(verdict.tag, multiple: verdict.multiple, on: subscription.channel) }
        }
        subscription.serve()
    }

    /// What these receipts stand for, as far as they are good.
    func contents(_ channel: UInt16, _ receipts: [Receipt]) -> [Receipt: Frame.Content] {
        guard let subscription = subscriptions[channel] else { return [:] }
        return receipts.reduce(into: [:]) { contents, receipt in
            guard receipt.epoch == subscription.epoch else { return }
            contents[receipt] = subscription.unsettled[UInt64(bitPattern: receipt.tag)]
        }
    }

    /// How many deliveries of a queue are here and not settled.
    func held(_ queue: String) -> Int {
        subscriptions.values.reduce(0) { $0 + ($1.queue == queue ? $1.unsettled.count : 0) }
    }

    /// Returns when the broker has confirmed that nothing more will come, and has back what was not handed out.
    func pause(_ channel: UInt16) async {
        guard let subscription = subscriptions[channel] else { return }
        await stop(subscription)
        await giveBackReady(subscription)
    }

    private func stop(_ subscription: Subscription) async {
        subscription.isWanted = false
        if subscription.phase == .consuming {
            subscription.phase = .cancelling
            line.send { try $0.cancelConsumer(on: subscription.channel) }
        }
        guard subscription.phase == .cancelling else { return }
        await withCheckedContinuation { subscription.waitingForQuiet.append($0) }
    }

    /// Returns when the broker has all back, or is out of reach and takes it back by itself.
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
            line.send { try $0.closeChannel(channel) }
            await withCheckedContinuation { subscription.waitingForQuiet.append($0) }
        case .opening:
            // Nothing was taken; the channel is closed once it is open.
            return
        case .closed, .closing: remove(channel)
        }
    }

    /// Its number may be another's as soon as this returns.
    private func remove(_ channel: UInt16) {
        subscriptions.removeValue(forKey: channel)?.reset(.closed)
    }

    // MARK: Channels

    private func open(_ subscription: Subscription) {
        if let fault = lackOfChannels(subscription.channel, subscription.queue) { return fail(subscription, fault) }
        if line.send({ try $0.openChannel(subscription.channel) }) { subscription.phase = .opening }
    }

    private func consume(_ subscription: Subscription) {
        guard subscription.phase == .idle, subscription.isWanted, !subscription.isQueueDoubtful else { return }
        (subscription.phase, subscription.isConfirmed) = (.consuming, false)
        line.send { try $0.limit(prefetch: subscription.prefetch, on: subscription.channel) }
        line.send { try $0.consume(subscription.queue, on: subscription.channel) }
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
        case .declared(QueueDesk.channel, let messages, let consumers):
            desk.answered(.messages(messages, consumers: consumers), line)
        case .purged(QueueDesk.channel, let messages): desk.answered(.messages(messages, consumers: 0), line)
        case .channelOpened(QueueDesk.channel): desk.opened(line)
        case .channelOpened(let channel): channelOpened(channel)
        case .channelClosed(QueueDesk.channel, let refusal): desk.closed(refusal, line)
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
            line.send { try $0.closeChannel(channel) }
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
        line.send { try $0.answerChannelClose(channel) }
        guard let subscription = subscriptions[channel] else { return }
        let isRefused = subscription.phase == .consuming && !subscription.isConfirmed
        subscription.reset(.closed)
        counting[subscription.queue] = nil
        if subscription.isClosed {
            remove(channel)
        } else if isRefused, let fault = line.fault(consuming: subscription.queue, refusal) {
            fail(subscription, fault)
        } else {
            line.log.warning("\(line.name): \(subscription.queue): the broker closed the channel: \(refusal.text)")
            subscription.isQueueDoubtful = true
        }
    }

    /// A broker ends the whole connection over a channel too many.
    private func lackOfChannels(_ channel: UInt16, _ queue: String) -> PortFault? {
        guard let most = line.link?.mostChannels, channel > most else { return nil }
        return line.fault(
            "\(queue): the broker allows \(most) channels on a connection, and this process needs more: raise channel_max in "
                + "rabbitmq.conf, or run fewer roles in one process", .unusable)
    }

    private func fail(_ subscription: Subscription, _ fault: PortFault) {
        // Told to those who wait, else to who asks next.
        if subscription.takers.isEmpty { subscription.fault = fault } else { subscription.fail(fault) }
    }

    // MARK: The connection's life

    func opened() {
        counting = [:]
        line.send { try $0.openChannel(QueueDesk.channel) }
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
        desk.lost()
        for subscription in subscriptions.values { subscription.reset(.closed) }
        guard line.isEnded else { return }
        desk.fail(fault)
        for subscription in subscriptions.values { subscription.fail(fault) }
    }

    func failed(_ fault: PortFault) {
        desk.fail(fault)
        for subscription in subscriptions.values { fail(subscription, fault) }
    }

    func ticked() {
        let cause = line.fault?.message ?? "the broker does not answer"
        desk.fail(line.fault(cause), olderThan: line.options.patience)
        guard line.link != nil else { return }
        for subscription in subscriptions.values where subscription.phase == .closed && !subscription.isClosed {
            open(subscription)
        }
        for (channel, subscription) in subscriptions where subscription.phase == .idle && subscription.isQueueDoubtful {
            Task { await look(channel) }
        }
    }

    /// The queue of a consumer may be gone: it is made again, then taken from.
    private func look(_ channel: UInt16) async {
        guard let subscription = subscriptions[channel], subscription.isQueueDoubtful else { return }
        do {
            try await declare(subscription.queue)
            subscription.isQueueDoubtful = false
            consume(subscription)
        } catch let fault as PortFault where fault.kind == .unusable {
            fail(subscription, fault)
        } catch {
            line.log.debug("\(line.name): \(error)")
        }
    }
}
