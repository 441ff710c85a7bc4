import Waiting

/// Decides when a stage that gathers takes deliveries again.
final class GatheringPause: Sendable {
    /// Together with `Holdback.longest` it is two seconds.
    private static let longest = Duration.milliseconds(250)
    /// A pause is at most this many times as long as the work before it.
    private static let share = 8.0
    /// The number of deliveries that makes the pause its full length. After a few deliveries, such as those of one
    /// image, there is hardly any pause.
    private static let fullLoad = 64.0

    private let inHand = Watched(0)

    func took(_ count: Int) { inHand.change { $0 += count } }

    func settled(_ count: Int) {
        inHand.change { inHand in
            inHand -= count
            assert(inHand >= 0, "no more deliveries are settled than were taken")
        }
    }

    /// Returns when everything that was taken is settled, or when the task is cancelled.
    func begin() async { _ = await inHand.wait { $0 == 0 ? true : nil } }

    /// How long to let deliveries gather after this many of them took this long.
    static func rest(after deliveries: Int, seconds: Double) -> Duration {
        let load = min(1, Double(deliveries) / fullLoad)
        return min(longest, .seconds(max(0, seconds) * share * load))
    }
}
