import Foundation

/// Tokens that a worker may spend on jobs, or how long it has to wait for one.
public enum TokenLease: Sendable, Equatable {
    /// The service has no limit.
    case unlimited
    /// At least one. Those that are not used within `TokenBucket.lease` have lapsed, and are returned.
    case granted(Int)
    /// There is none before so long.
    case wait(Duration)
}

/// The tokens of one service's rate limit: a token bucket, which fills at the limit's rate (J. Turner, "New directions in
/// communications", 1986).
package struct TokenBucket: Sendable, Equatable {
    /// How long a worker may keep what it does not use.
    package static let lease = Duration.seconds(2)
    /// A bucket holds as many tokens as come in within so many seconds: what a fleet that was idle may do at once.
    private static let depth = 1.0
    /// What a worker leases at once is used up in so many seconds, so that little is lost with one that dies.
    private static let block = 0.25
    /// Asking more often would cost the store more than the limit is worth.
    private static let shortestWait = 0.05

    /// How many there are.
    package var tokens: Double
    /// When that was so.
    package var refilled: Date

    /// A new bucket has a token: the first job need not wait.
    package init(tokens: Double = 1, refilled: Date) {
        self.tokens = tokens
        self.refilled = refilled
    }

    /// - Parameters:
    ///   - count: how many are wanted; no more than a block are given.
    ///   - returned: so many were leased before and not used.
    ///   - rate: per second.
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
