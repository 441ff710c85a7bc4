/// Exponential back-off with jitter: each wait is drawn from 50…100 % of base × 2^n, at most `limit`.
public struct BackOff: Sendable {
    /// The first wait, before jitter.
    public var base: Duration
    /// The longest wait.
    public var limit: Duration
    private var exponent = 0

    package init(base: Duration, limit: Duration) {
        self.base = base
        self.limit = limit
    }

    /// How long to wait before the next try.
    public mutating func next() -> Duration {
        let full = min(base * (1 << min(exponent, 30)), limit)
        exponent += 1
        return full * Double.random(in: 0.5...1)
    }

    /// Starts over: the last try went well.
    public mutating func reset() { exponent = 0 }
}
