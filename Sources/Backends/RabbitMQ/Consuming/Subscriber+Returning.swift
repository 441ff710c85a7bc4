import Pipeline

/// What goes back to its queue.
///
/// A quorum queue counts what it has back and drops what comes back too often, and so may what farm does not know. There a copy
/// takes the message's place: it is published, confirmed, and only then is the original acknowledged. A crash between the two
/// leaves a duplicate, which the job's id absorbs.
extension Subscriber {
    /// How long a queue may take no copies, before what it is to have back goes another way: it must not be held for too long.
    private static let longestHeld = Duration.seconds(200)
    /// How long a process that ends waits for copies to be taken.
    private static let farewell = Duration.seconds(2)
    private static let renewalPatience = Duration.seconds(5)

    /// - Parameter toEnd: behind all others of the queue, by a copy, so that they stand in nobody's way.
    /// - Returns: why some of it is still here; then it may be repeated.
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

    /// What was fetched ahead and not handed out. Where its queue takes no copies it stays, and is handed out or given back
    /// later.
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

    /// All that is unsettled, before the channel is closed.
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

    /// A classic queue does not. One whose arguments are not known may.
    func countsReturns(_ queue: String) async -> Bool {
        if connection.options.queueType == .quorum { return true }
        if let known = counting[queue] { return known }
        // One that is missing would be made by the question.
        guard (try? await messages(in: queue)) != nil, let answer = try? await ask(queue, .classic) else { return true }
        let isClassic = if case .messages = answer { true } else { false }
        // Meanwhile a delivery may have told.
        let counts = counting[queue] ?? !isClassic
        counting[queue] = counts
        return counts
    }

    // MARK: Copies

    /// What the queue has had back before, when a connection was lost or a process died: copies take its place at once, so that
    /// its count is never more than one. What cannot be copied is handed out as it is.
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
        // Taken now: on a channel that is opened anew meanwhile the same numbers are other messages'.
        let open = tags.map(subscription.receipt)
        let parcels = tags.compactMap { subscription.unsettled[$0] }.map { Parcel(copying: $0, to: subscription.queue) }
        let refused = await copy(parcels, patience)
        acknowledge(subscription.channel, open.indices.filter { refused[$0] == nil }.map { open[$0] })
        return refused.values.first
    }

    /// - Returns: what is not known to be in its queue.
    func copy(_ parcels: [Parcel], _ patience: Duration? = nil) async -> [Int: PortFault] {
        // What has begun is not cut short by a caller that is cancelled: a copy that nobody knows of is one too many.
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

    /// The last resort, where a queue takes no copies. What it has not had back yet it may have once: no limit is below that.
    /// What it has had back becomes a dead letter.
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
