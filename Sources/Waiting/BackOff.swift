/// Exponential back-off with jitter. Each wait is between 50 % and 100 % of base × 2^n, at most `limit`.
public struct BackOff: Sendable {
    /// The first wait, before jitter.
    public var base: Duration
    /// The longest wait.
    public var limit: Duration
    private let randomness: Randomness
    private var exponent = 0

    package init(base: Duration, limit: Duration, randomness: @escaping Randomness = systemRandomness) {
        self.base = base
        self.limit = limit
        self.randomness = randomness
    }

    /// How long to wait before the next try.
    public mutating func next() -> Duration {
        let full = min(base * (1 << min(exponent, 30)), limit)
        exponent += 1
        return full * (0.5 + 0.5 * randomness())
    }

    /// Starts over, since the last try succeeded.
    public mutating func reset() { exponent = 0 }
}

/// Returns a number in 0..<1, for the jitter of waits. Like time, it comes from outside, so that a simulated run can be
/// repeated.
public typealias Randomness = @Sendable () -> Double

/// This machine's own source of randomness.
public let systemRandomness: Randomness = { Double.random(in: 0..<1) }
