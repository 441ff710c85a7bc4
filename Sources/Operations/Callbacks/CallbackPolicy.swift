import Foundation
import Waiting

/// How often a callback is posted, and how long its image may take.
package struct CallbackPolicy: Sendable {
    /// The longest wait between two tries, unless the receiver asks for a longer one.
    private static let longestWait = Duration.seconds(3600)
    /// A receiver cannot ask for a longer wait.
    static let longestRetryAfter = Duration.seconds(86_400)

    /// How often it is posted.
    package var tries: Int
    /// The first wait between two tries.
    package var delay: Duration
    /// How long its image may take.
    package var patience: Duration

    package init(tries: Int, delay: Duration, patience: Duration) {
        self.tries = tries
        self.delay = delay
        self.patience = patience
    }

    /// The wait after so many tries in vain: exponential back-off, or what the receiver asks for if that is longer.
    func wait(after tries: Int, retryAfter: Duration?, _ randomness: @escaping Randomness) -> Duration {
        var backOff = BackOff(base: delay, limit: CallbackPolicy.longestWait, randomness: randomness)
        var wait = backOff.next()
        for _ in 1..<max(tries, 1) { wait = backOff.next() }
        return max(wait, min(retryAfter ?? .zero, CallbackPolicy.longestRetryAfter))
    }
}
