/// Taking nothing for a while.
extension Subscriber {
    /// Returns when the broker has confirmed that nothing more will come, and has back what was not handed out.
    func pause(_ channel: UInt16) async {
        guard let subscription = subscriptions[channel] else { return }
        await stop(subscription)
        await giveBackReady(subscription)
    }

    /// A broker heeds another prefetch only with another consumer: the next one who wants deliveries begins it. What is here
    /// already goes back only if it is too much now.
    func limit(_ channel: UInt16, prefetch: Int) async {
        guard let subscription = subscriptions[channel] else { return }
        subscription.prefetch = min(max(1, prefetch), Int(UInt16.max))
        await stop(subscription)
        if subscription.unsettled.count > subscription.prefetch { await giveBackReady(subscription) }
    }

    func stop(_ subscription: Subscription) async {
        subscription.isWanted = false
        if subscription.phase == .consuming {
            subscription.phase = .cancelling
            connection.send { try $0.cancelConsumer(on: subscription.channel) }
        }
        guard subscription.phase == .cancelling else { return }
        await withCheckedContinuation { subscription.waitingForQuiet.append($0) }
    }
}
