import Pipeline

/// How messages go back to their queue.
///
/// A quorum queue counts how often a message comes back, and drops it if that is too often. A queue of unknown type may
/// do so too. For such a queue a copy replaces the message: the copy is published and confirmed, and only then is the
/// original acknowledged. A crash between the two leaves a duplicate, which does no harm because the job's id is the
/// same.
extension Subscriber {
    /// How long a queue may refuse copies before its messages go back another way, since they must not be held for too
    /// long.
    private static let longestHeld = Duration.seconds(200)
    /// How long a process that ends waits until copies are taken.
    private static let farewell = Duration.seconds(2)
    private static let renewalPatience = Duration.seconds(5)

    /// - Parameter toEnd: whether the messages go to the end of the queue, by copies, so that they are in nobody's way.
    /// - Returns: why some of them are still here. Then it may be repeated.
    func giveBack(
        _ channel: UInt16, _ receipts: [Receipt], toEnd: Bool = false, patience: Duration? = nil
    ) async -> PortFault? {
        guard let subscription = subscriptions[channel], !subscription.tags(receipts).isEmpty else { return nil }
        var copies = toEnd
        if !copies { copies = await countsReturns(subscription.queue) }
        if copies { return await renew(subscription, receipts, patience) }
        reject(subscription.tags(receipts), subscription)
        return nil
    }

    /// Gives back deliveries that were prefetched and not handed out. If the queue takes no copies, they stay, and are
    /// handed out or given back later.
    func giveBackReady(_ subscription: Subscription) async {
        let ready = subscription.takeReady()
        guard !ready.isEmpty else { return }
        let epoch = subscription.epoch
        let fault = await giveBack(subscription.channel, ready.map { subscription.receipt($0.tag) })
        guard let fault, subscription.epoch == epoch else { return subscription.stuckSince = nil }
        let rest = ready.filter { subscription.unsettled[$0.tag] != nil }
        let since = subscription.stuckSince ?? .now
        subscription.stuckSince = since
        if since.duration(to: .now) > Subscriber.longestHeld {
            await giveUp(rest.map(\.tag), of: subscription, fault)
            subscription.stuckSince = nil
        } else {
            subscription.ready.prepend(contentsOf: rest)
        }
    }

    /// Gives back everything that is unsettled, before the channel is closed.
    func giveBackAll(_ subscription: Subscription) async {
        await subscription.renewal?.value
        guard case .idle = subscription.phase else { return }
        let epoch = subscription.epoch
        _ = subscription.takeReady()
        let receipts = subscription.unsettled.tags.map(subscription.receipt)
        let fault = await giveBack(subscription.channel, receipts, patience: Subscriber.farewell)
        guard let fault, subscription.epoch == epoch else { return }
        await giveUp(subscription.unsettled.tags, of: subscription, fault)
    }

    // MARK: Which queues count

    /// A classic queue does not count. A queue with unknown arguments may.
    func countsReturns(_ queue: String) async -> Bool {
        if connection.options.queueType == .quorum { return true }
        if let known = counting[queue] { return known }
        // The question would create a missing queue.
        guard (try? await messages(in: queue)) != nil, let answer = try? await ask(queue, .classic) else { return true }
        let isClassic = if case .messages = answer { true } else { false }
        // A delivery may have shown it meanwhile.
        let counts = counting[queue] ?? !isClassic
        counting[queue] = counts
        return counts
    }

    // MARK: Copies

    /// Deliveries that had come back to the queue before, because a connection was lost or a process died, are replaced
    /// by copies at once, so that their count is never more than one. What cannot be copied is handed out as it is.
    func renewReturned(_ subscription: Subscription) {
        guard !subscription.toRenew.isEmpty, subscription.renewal == nil, !subscription.isClosed else { return }
        let epoch = subscription.epoch
        (subscription.renewing, subscription.toRenew) = (subscription.toRenew, [])
        let receipts = subscription.renewing.map(subscription.receipt)
        subscription.renewal = Task {
            _ = await renew(subscription, receipts, Subscriber.renewalPatience)
            subscription.renewal = nil
            guard subscription.epoch == epoch else { return }
            for tag in subscription.renewing where subscription.unsettled[tag] != nil {
                subscription.ready.append((tag, true))
            }
            subscription.renewing = []
            subscription.serve()
            renewReturned(subscription)
        }
    }

    /// - Returns: why some of it is still here.
    private func renew(_ subscription: Subscription, _ receipts: [Receipt], _ patience: Duration?) async -> PortFault? {
        let tags = subscription.tags(receipts)
        // Taken now: if the channel is opened again meanwhile, the same numbers mean other messages.
        let open = tags.map(subscription.receipt)
        let parcels = tags.compactMap { subscription.unsettled[$0] }.map { Parcel(copying: $0, to: subscription.queue) }
        let refused = await copy(parcels, patience)
        acknowledge(subscription.channel, open.indices.filter { refused[$0] == nil }.map { open[$0] })
        return refused.values.first
    }

    /// - Returns: the copies that are not known to be in their queue.
    func copy(_ parcels: [Parcel], _ patience: Duration? = nil) async -> [Int: PortFault] {
        // A caller that is cancelled does not interrupt this: an unknown copy would be one too many.
        await Task {
            var refused = await publisher.publish(parcels, patience: patience)
            let returned = refused.compactMap { if case .returned = $1 { $0 } else { nil } }.sorted()
            if let first = returned.first {
                // The queue was deleted, and the originals with it.
                try? await declare(parcels[first].queue)
                let again = await publisher.publish(returned.map { parcels[$0] }, patience: patience)
                for (index, place) in returned.enumerated() { refused[place] = again[index] }
            }
            return refused.mapValues { refusal in
                if case .fault(let fault) = refusal { fault } else { connection.fault("the queue was deleted") }
            }
        }.value
    }

    /// The last resort, if a queue takes no copies. A message that has not come back yet may come back once, since no
    /// limit is below that. A message that has come back before becomes a dead letter.
    private func giveUp(_ tags: [UInt64], of subscription: Subscription, _ fault: PortFault) async {
        let contents = tags.compactMap { tag in subscription.unsettled[tag].map { (tag, $0) } }
        let again = contents.filter { $1.returns ?? 0 > 0 }
        let now = connection.time.now()
        let letter = DeadLetter(
            reason: "not_taken_back", message: "its queue would not take it back: \(fault.message)", tries: 0,
            workerID: String(connection.options.connectionName.prefix(50)), firstFailure: now)
        let letters = again.map { Parcel(letter.message(for: $1, from: subscription.queue, at: now)) }
        let epoch = subscription.epoch
        let refused = await copy(letters, Subscriber.farewell)
        guard subscription.epoch == epoch else { return }
        let buried = again.indices.filter { refused[$0] == nil }.map { subscription.receipt(again[$0].0) }
        acknowledge(subscription.channel, buried)
        let rest = tags.filter { subscription.unsettled[$0] != nil }
        reject(rest, subscription)
        connection.log.warning(
            """
            \(connection.name): \(subscription.queue) takes no copies: \(rest.count) jobs went back in a way that it counts, \
            \(buried.count) to \(subscription.queue).dead: \(fault)
            """)
    }
}
