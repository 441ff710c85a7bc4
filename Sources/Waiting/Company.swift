import Foundation
import Synchronization

/// Tells how long a trip should wait for more elements, by how often some came lately. Where little comes, nothing waits.
package final class Company: Sendable {
    /// A wait of this length is not felt where much is going on.
    private static let longest = 0.025
    /// A wait must bring at least so many others.
    private static let least = 2.0
    /// The weight of the newest interval.
    private static let weight = 0.1

    private struct State {
        var last: Date?
        /// Mean seconds between two elements.
        var interval = Double.infinity
    }

    private let state = Mutex(State())
    private let time: any Timekeeper

    package init(time: any Timekeeper) { self.time = time }

    /// Counts elements that have come.
    /// - Parameter patience: how long they may wait.
    /// - Returns: how long to wait for more.
    package func wait(for count: Int, patience: Duration) -> Duration {
        let now = time.now()
        return state.withLock { state in
            defer { state.last = now }
            guard let last = state.last else { return .zero }
            let seconds = max(0, now.timeIntervalSince(last)) / Double(max(1, count))
            // After a long lull nobody is expected, however much came before.
            state.interval =
                state.interval.isInfinite || seconds > 1
                ? seconds : state.interval + (seconds - state.interval) * Company.weight
            let wait = min(Company.longest, patience.seconds)
            guard wait > 0, wait >= state.interval * Company.least else { return .zero }
            return .seconds(wait)
        }
    }

    func gather(_ wait: Duration) async { try? await time.sleep(wait) }
}
