import Synchronization

/// How long a worker's questions and answers may wait for those of other workers, so that the store takes them together. Beside
/// calls that took four times as long, the wait is not felt.
final class Patience: Sendable {
    private static let share = 0.25

    private let shortest = Mutex(0.0)

    var present: Duration { .seconds(shortest.withLock { $0 } * Patience.share) }

    /// - Parameter seconds: how long each job of a group was worked on.
    func learn(from seconds: [Double]) {
        guard let least = seconds.min() else { return }
        shortest.withLock { $0 = max(0, least) }
    }
}
