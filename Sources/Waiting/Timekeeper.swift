import Foundation

/// Where time comes from: the roles, the services' back-off and the leases take it from outside, so that tests and the
/// simulator can turn the hands.
public protocol Timekeeper: Sendable {
    /// The wall clock.
    func now() -> Date
    /// Waits that long.
    /// - Throws: `CancellationError`.
    func sleep(_ duration: Duration) async throws
}

/// This machine's time.
public struct SystemTime: Timekeeper {
    package init() {}

    /// The wall clock.
    public func now() -> Date { Date() }

    /// Waits that long; ends at once when cancelled.
    public func sleep(_ duration: Duration) async throws { try await Task.sleep(for: duration) }
}

extension Duration {
    /// The duration in seconds, for sums with `Date`.
    public var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
