import Synchronization

/// When a stage that gathers takes again.
final class GatheringPause: Sendable {
    private static let longest = Duration.seconds(2)
    /// A rest is at most so many times as long as the work before it.
    private static let share = 8.0
    /// From this many deliveries on; a few, such as those of one image, are followed by hardly any rest.
    private static let fullLoad = 64.0

    private let inHand = Mutex(0)
    private let (beginnings, beginning) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    func took(_ count: Int) { inHand.withLock { $0 += count } }

    func settled(_ count: Int) {
        let isAll = inHand.withLock { inHand in
            inHand -= count
            assert(inHand >= 0, "no more deliveries are settled than were taken")
            return inHand == 0
        }
        if isAll { beginning.yield() }
    }

    /// Returns when all that was taken is settled, or when the task is cancelled.
    func begin() async {
        var iterator = beginnings.makeAsyncIterator()
        _ = await iterator.next()
    }

    /// How long to let deliveries gather after so many took so long.
    static func rest(after deliveries: Int, seconds: Double) -> Duration {
        let load = min(1, Double(deliveries) / fullLoad)
        return min(longest, .seconds(max(0, seconds) * share * load))
    }
}
