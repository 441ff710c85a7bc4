import Foundation

/// Where time comes from. Roles, back-off and leases get it from outside, so that tests and the simulation can control
/// it.
public protocol Timekeeper: Sendable {
    /// The wall clock.
    func now() -> Date
    /// Waits for this long.
    /// - Throws: `CancellationError`.
    func sleep(_ duration: Duration) async throws
}

/// This machine's time.
public struct SystemTime: Timekeeper {
    package init() {}

    /// The wall clock.
    public func now() -> Date { Date() }

    /// Waits for this long. Ends at once when cancelled.
    public func sleep(_ duration: Duration) async throws { try await Task.sleep(for: duration) }
}

extension Duration {
    /// The duration in seconds, for arithmetic with `Date`.
    public var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
