import Pipeline

/// One consumer of a queue, on a channel of its own; it belongs to the consuming connection's actor.
final class Subscription {
    enum Phase {
        /// The connection is down, or the broker has closed the channel.
        case closed
        case opening
        /// The channel is open and takes nothing.
        case idle
        case consuming
        /// Until the broker has confirmed it, deliveries may still come.
        case cancelling
        case closing
    }

    let queue: String
    var prefetch: Int
    let channel: UInt16
    var phase = Phase.closed
    /// Somebody wants deliveries.
    var isWanted = false
    /// The queue may be gone: it is looked for, and made, before it is taken from again.
    var isQueueDoubtful = false
    /// The broker has confirmed that it takes from the queue.
    var isConfirmed = false
    /// Which opening of the channel; receipts of another are void.
    var epoch: Int64 = 0
    var unsettled = Unsettled<Frame.Content>()
    var acknowledgements = Acknowledgements()
    /// What was not handed out yet, oldest first.
    var ready = Fifo<(tag: UInt64, redelivered: Bool)>()
    /// What the queue has had back before, not handed out: copies take their place, so that the queue never has too much back.
    var toRenew: [UInt64] = []
    /// Of those, what is being copied.
    var renewing: [UInt64] = []
    var renewal: Task<Void, Never>?
    /// Since when its queue takes no copies of what it is to have back.
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

    /// All that was delivered on the channel is void: the broker delivers it again.
    func reset(_ phase: Phase) {
        self.phase = phase
        unsettled = Unsettled()
        acknowledgements = Acknowledgements()
        ready = Fifo()
        (toRenew, renewing, stuckSince) = ([], [], nil)
        quiet()
    }

    /// Tells those who wait for a pause or the end.
    func quiet() {
        for waiter in waitingForQuiet { waiter.resume() }
        waitingForQuiet = []
    }

    func fail(_ error: any Error) {
        for taker in takers { taker.continuation.resume(throwing: error) }
        takers = []
    }

    /// No more than `prefetch` are in the taker's hands, though after a pause more may be under way.
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

    /// What was not handed out yet, oldest first.
    func takeReady() -> [(tag: UInt64, redelivered: Bool)] {
        var taken: [(tag: UInt64, redelivered: Bool)] = []
        while let next = ready.popFirst() { taken.append(next) }
        return taken
    }

    func receipt(_ tag: UInt64) -> Receipt { Receipt(epoch: epoch, tag: Int64(bitPattern: tag)) }

    /// The tags that these receipts name and that are still open.
    func tags(_ receipts: some Sequence<Receipt>) -> [UInt64] {
        receipts.filter { $0.epoch == epoch }.map { UInt64(bitPattern: $0.tag) }.filter { unsettled[$0] != nil }
    }
}
