/// Exponential back-off with jitter: each wait is drawn from 50…100 % of base × 2^n, at most `limit`.
public struct BackOff: Sendable {
    public var base: Duration
    public var limit: Duration
    private var exponent = 0

    public init(base: Duration, limit: Duration) {
        self.base = base
        self.limit = limit
    }

    public mutating func next() -> Duration {
        let full = min(base * (1 << min(exponent, 30)), limit)
        exponent += 1
        return full * Double.random(in: 0.5...1)
    }

    public mutating func reset() { exponent = 0 }
}
