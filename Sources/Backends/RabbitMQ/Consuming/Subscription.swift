import Pipeline

/// One consumer of a queue, on its own channel. It belongs to the actor of the consuming connection.
final class Subscription {
    enum Phase {
        /// The connection is down, or the broker has closed the channel.
        case closed
        case opening
        /// The channel is open, and consumes nothing.
        case idle
        case consuming
        /// Until the broker has confirmed the end, deliveries may still come.
        case cancelling
        case closing
    }

    let queue: String
    var prefetch: Int
    let channel: UInt16
    var phase = Phase.closed
    /// Whether somebody wants deliveries.
    var isWanted = false
    /// Whether the queue may be gone. Then it is looked for, and created, before it is consumed again.
    var isQueueDoubtful = false
    /// Whether the broker has confirmed that it consumes the queue.
    var isConfirmed = false
    /// Counts the openings of the channel. Receipts of another opening are void.
    var epoch: Int64 = 0
    var unsettled = Unsettled<Frame.Content>()
    var acknowledgements = Acknowledgements()
    /// Deliveries that were not handed out yet, oldest first.
    var ready = Fifo<(tag: UInt64, redelivered: Bool)>()
    /// Deliveries that had come back to the queue before and were not handed out. Copies replace them, so that the
    /// queue never gets a message back too often.
    var toRenew: [UInt64] = []
    /// The deliveries among these that are being copied.
    var renewing: [UInt64] = []
    var renewal: Task<Void, Never>?
    /// Since when its queue has taken no copies.
    var stuckSince: ContinuousClock.Instant?
    /// Why it cannot go on.
    var fault: PortFault?
    var isClosed = false
    var takers: [(id: Int, limit: Int, continuation: CheckedContinuation<[Delivery], any Error>)] = []
    var waitingForQuiet: [CheckedContinuation<Void, Never>] = []

    init(queue: String, prefetch: Int, channel: UInt16) {
        self.queue = queue
        self.prefetch = prefetch
        self.channel = channel
    }

    /// Everything that was delivered on the channel is void, since the broker delivers it again.
    func reset(_ phase: Phase) {
        self.phase = phase
        unsettled = Unsettled()
        acknowledgements = Acknowledgements()
        ready = Fifo()
        (toRenew, renewing, stuckSince) = ([], [], nil)
        quiet()
    }

    /// Tells those who wait for a pause or for the end.
    func quiet() {
        for waiter in waitingForQuiet { waiter.resume() }
        waitingForQuiet = []
    }

    func fail(_ error: any Error) {
        for taker in takers { taker.continuation.resume(throwing: error) }
        takers = []
    }

    /// At most `prefetch` deliveries are in the hands of the caller, though after a pause more may be on their way.
    func handOut(upTo limit: Int) -> [Delivery] {
        let ahead = ready.count + toRenew.count + renewing.count
        let room = min(limit, prefetch - (unsettled.count - ahead))
        var deliveries: [Delivery] = []
        while deliveries.count < room, let (tag, redelivered) = ready.popFirst() {
            guard let content = unsettled[tag] else { continue }
            deliveries.append(
                Delivery(
                    body: content.body, headers: content.headers, redelivered: redelivered,
                    receipt: receipt(tag)))
        }
        return deliveries
    }

    func serve() {
        while let taker = takers.first {
            let deliveries = handOut(upTo: taker.limit)
            guard !deliveries.isEmpty else { return }
            takers.removeFirst()
            taker.continuation.resume(returning: deliveries)
        }
    }

    /// Deliveries that were not handed out yet, oldest first.
    func takeReady() -> [(tag: UInt64, redelivered: Bool)] {
        var taken: [(tag: UInt64, redelivered: Bool)] = []
        while let next = ready.popFirst() { taken.append(next) }
        return taken
    }

    func receipt(_ tag: UInt64) -> Receipt { Receipt(epoch: epoch, tag: Int64(bitPattern: tag)) }

    /// The tags of these receipts, if they are still open.
    func tags(_ receipts: some Sequence<Receipt>) -> [UInt64] {
        receipts.filter { $0.epoch == epoch }.map { UInt64(bitPattern: $0.tag) }.filter { unsettled[$0] != nil }
    }
}
