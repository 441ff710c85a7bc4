import Logging
import Pipeline
import Waiting

/// Owns the connection of one pass through a queue. It asks for each message, with many questions ahead of the answers.
/// It does not consume, because the prefetch limit would stop it: what is not removed stays unsettled until the end.
/// When the connection ends in any way, the broker has those messages again, in their old places.
actor QueueBrowser: ConnectionOwner {
    /// How many bytes of messages are requested at once, going by the earlier ones.
    private static let batchBytes = 8 << 20
    private static let longestBatch = 256
    /// To remove a message, the broker goes through all older ones that its channel holds. So while some are removed,
    /// no channel holds too many.
    private static let heldByChannel = 2000

    let connection: ManagedConnection
    private let executor: QueueExecutor
    private let queue: String
    /// Whether a copy at the end of the queue replaces each message that was shown and stays.
    private let movesShown: Bool
    /// How many messages before those of the last `next` stay, with those that earlier passes have passed.
    private var passed: Int
    /// How many of the next ones are not shown, since an earlier pass has shown them.
    private var hidden = 0
    /// How many are still to be shown. The first answer tells: unlike a look at the queue, it comes after everything
    /// that the broker has got back before.
    private var rest: Int?
    /// How many messages a channel may hold while some are removed.
    private var channelLimit = heldByChannel
    private var isRemoving = false
    /// The newest channel, on which messages are requested. The others hold what they got.
    private var channel: UInt16 = 1
    private var isOpen = false
    private var unsettled = Unsettled<Void>()
    private var batch: [Delivery] = []
    /// What the last `next` returned, by tag.
    private var contents: [UInt64: (content: Frame.Content, isRedelivered: Bool)] = [:]
    private var batchLimit = 16
    /// How many the present `next` may return.
    private var wanted = Int.max
    /// The number of questions without an answer.
    private var asked = 0
    private var taker: CheckedContinuation<[Delivery], any Error>?
    private var closer: CheckedContinuation<Void, any Error>?
    private var lastProgress = ContinuousClock.now
    /// Why the pass has ended early.
    private var fault: PortFault?

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - passed: how many messages earlier passes have shown and left. They are not shown again.
    ///   - movesShown: whether those are at the end of the queue, not at its beginning.
    init(
        _ options: RabbitMQOptions, queue: String, passing passed: Int, movesShown: Bool, time: any Timekeeper,
        log: Logger
    ) {
        (self.passed, self.movesShown) = (passed, movesShown)
        executor = QueueExecutor(label: "farm.rabbitmq.passing")
        connection = ManagedConnection(
            options, role: "passing", queue: executor.queue, time: time, log: log, events: options.events)
        self.queue = queue
    }

    // MARK: Messages

    /// - Parameter limit: how many messages are returned at most.
    func next(upTo limit: Int) async throws -> [Delivery] {
        wanted = limit
        var found = try await take()
        while hidden > 0, !found.isEmpty {
            let count = min(hidden, found.count)
            hidden -= count
            found = count < found.count ? Array(found.dropFirst(count)) : try await take()
        }
        return found
    }

    private func take() async throws -> [Delivery] {
        try Task.checkCancellation()
        if let fault { throw fault }
        // Without a connection there is no queue.
        guard rest != 0, connection.amqp != nil else { return [] }
        passed += contents.count
        (batch, contents) = ([], [:])
        lastProgress = .now
        return try await withCheckedThrowingContinuation { continuation in
            taker = continuation
            if isRemoving, unsettled.count >= channelLimit { openNext() } else if isOpen { ask() }
        }
    }

    private func openNext() {
        (channel, isOpen, unsettled) = (channel + 1, false, Unsettled())
        connection.send { try $0.openChannel(channel) }
    }

    private func ask() {
        asked = min(min(batchLimit, wanted) - batch.count, rest ?? 1)
        rest = rest.map { $0 - asked }
        for _ in 0..<asked { connection.send { try $0.get(queue, on: channel) } }
    }

    private func answered() {
        lastProgress = .now
        asked -= 1
        guard asked == 0, let taker else { return }
        if rest != 0, batch.count < min(batchLimit, wanted) { return ask() }
        self.taker = nil
        let bytes = batch.reduce(1) { $0 + $1.body.count } / max(1, batch.count)
        batchLimit = min(QueueBrowser.longestBatch, max(1, QueueBrowser.batchBytes / max(1, bytes)))
        taker.resume(returning: batch)
        batch = []
    }

    /// - Returns: how many are removed. If the connection is lost before the broker heard of it, the next call throws.
    func remove(_ receipts: [Receipt]) throws -> Int {
        if let fault { throw fault }
        let tags = receipts.filter { $0.epoch == Int64(channel) }.map { UInt64(bitPattern: $0.tag) }
        for tag in tags { contents[tag] = nil }
        let before = unsettled.count
        isRemoving = true
        for verdict in unsettled.settle(tags) {
            connection.send { try $0.acknowledge(verdict.tag, multiple: verdict.multiple, on: channel) }
        }
        return before - unsettled.count
    }

    /// What the last `next` returned and was not removed, oldest first.
    func shown() -> [(receipt: Receipt, content: Frame.Content, isRedelivered: Bool)] {
        contents.sorted { $0.key < $1.key }.map { tag, shown in
            (Receipt(epoch: Int64(channel), tag: Int64(bitPattern: tag)), shown.content, shown.isRedelivered)
        }
    }

    /// Removes messages of the last `next` that were copied to the end of the queue.
    func moved(_ receipts: [Receipt]) throws { passed += try remove(receipts) }

    /// How many messages up to this one of the last `next` stay.
    func passed(upTo receipt: Receipt) -> Int {
        passed + contents.keys.count { $0 <= UInt64(bitPattern: receipt.tag) }
    }

    // MARK: The end

    /// Returns when the broker knows what was removed, and has the rest back. When a channel ends, everything that it
    /// holds goes back together. With basic.nack the broker would take it back one by one, which takes it minutes.
    func close() async throws {
        if let fault {
            abandon()
            throw fault
        }
        guard connection.amqp != nil else { return }
        lastProgress = .now
        try await withCheckedThrowingContinuation { continuation in
            closer = continuation
            connection.send { try $0.closeChannel(channel) }
        }
        await disconnect()
    }

    private func end(_ fault: PortFault) {
        self.fault = self.fault ?? fault
        taker?.resume(throwing: fault)
        closer?.resume(throwing: fault)
        (taker, closer) = (nil, nil)
    }

    // MARK: The connection's life

    func opened() {
        connection.send { try $0.openChannel(channel) }
    }

    /// - Parameter count: how many messages there are beside the first one.
    private func begin(_ count: Int) {
        rest = movesShown ? max(0, count - passed) : count
        hidden = movesShown ? (passed > count ? 1 : 0) : passed
        // Those at the beginning are counted as they come.
        if !movesShown { passed = 0 }
        // While some are removed, the cost of a channel grows with the square of what it holds. Giving back costs the
        // length of the queue, for each channel.
        channelLimit = max(QueueBrowser.heldByChannel, Int(10 * Double(count).squareRoot()))
    }

    func received(_ frame: Frame) {
        switch frame {
        case .channelOpened(channel):
            isOpen = true
            if taker != nil { ask() }
        case .got(channel, let tag, let redelivered, let count, let content):
            if rest == nil { begin(count) }
            unsettled.append(tag, ())
            contents[tag] = (content, content.isCopy || redelivered)
            batch.append(
                Delivery(
                    body: content.body, headers: content.headers, redelivered: redelivered,
                    receipt: Receipt(epoch: Int64(channel), tag: Int64(bitPattern: tag))))
            answered()
        case .gotNothing(channel):
            rest = 0
            answered()
        case .channelCloseOK:
            closer?.resume()
            closer = nil
        case .channelClosed(let channel, let refusal):
            connection.send { try $0.answerChannelClose(channel) }
            end(connection.fault(over: queue, refusal))
        default: break
        }
    }

    func drained() {}

    /// Its messages belong to the broker again, so there is no reason to connect again.
    func lost(_ fault: PortFault) {
        connection.isEnded = true
        end(fault)
    }

    func failed(_ fault: PortFault) { end(fault) }

    func ticked() {
        guard taker != nil || closer != nil, lastProgress.duration(to: .now) > connection.options.patience else {
            return
        }
        end(connection.fault("\(queue): the broker does not answer"))
    }
}
