/// Draws from 0..<1, for the jitter of waits: like time it comes from outside, so that a simulated run can be repeated.
public typealias Randomness = @Sendable () -> Double

/// This machine's own.
public let systemRandomness: Randomness = { Double.random(in: 0..<1) }
