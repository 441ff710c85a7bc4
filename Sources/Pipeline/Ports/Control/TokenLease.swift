import Foundation

/// An answer to a worker that asked for tokens.
public enum TokenLease: Sendable, Equatable {
    /// The service has no rate limit.
    case unlimited
    /// The number of tokens, at least 1. They are valid for `TokenBucket.lease`. After that, what is left is returned.
    case granted(Int)
    /// There are no tokens. The next one comes in after this time.
    case wait(Duration)
}

/// The tokens of one service's rate limit: a token bucket, which fills at the limit's rate (J. Turner, "New directions in
/// communications", 1986).
package struct TokenBucket: Sendable, Equatable {
    /// How long a worker may keep tokens that it does not use.
    package static let lease = Duration.seconds(2)
    /// The size of a bucket, in seconds of the rate: a fleet that was idle may take so much at once.
    private static let depth = 1.0
    /// The most that a worker may lease at once, in seconds of the rate. So little is lost with a worker that dies.
    private static let block = 0.25
    /// Workers do not ask more often, which would cost the store more than the limit is worth.
    private static let shortestWait = 0.05

    /// The number of tokens.
    package var tokens: Double
    /// When the bucket had this number.
    package var refilled: Date

    /// A new bucket has one token, so that the first job need not wait.
    package init(tokens: Double = 1, refilled: Date) {
        self.tokens = tokens
        self.refilled = refilled
    }

    /// Adds the tokens that have come in, and leases some of them.
    /// - Parameters:
    ///   - count: how many are wanted.
    ///   - returned: how many were leased before and not used.
    ///   - rate: how many come in per second.
    package mutating func lease(_ count: Int, returning returned: Int, rate: Double, at now: Date) -> TokenLease {
        let most = max(1, rate * TokenBucket.depth)
        // A clock that was set back brings no tokens, and takes none.
        let elapsed = max(0, now.timeIntervalSince(refilled))
        tokens = min(most, max(0, tokens) + elapsed * rate + Double(max(0, returned)))
        refilled = now
        let block = max(1, Int((rate * TokenBucket.block).rounded()))
        // A sum of many small parts may lack a hair of a whole token.
        let granted = min(count, block, Int(tokens + 1e-6))
        guard granted > 0 else {
            return .wait(.seconds(max(TokenBucket.shortestWait, (1 - tokens) / rate)))
        }
        tokens -= Double(granted)
        return .granted(granted)
    }
}
