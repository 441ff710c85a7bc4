import Foundation

/// Values that fit the columns of `worker_heartbeats`.
enum HeartbeatColumns {
    /// A TEXT holds 65,535 bytes, and a character has at most four.
    static let message = 16_000

    /// A FLOAT. nil if none can hold the value.
    static func real(_ value: Double) -> String? {
        let value = Float(value)
        return value.isFinite ? "\(value)" : nil
    }

    /// An INT.
    static func integer(_ value: Int) -> String { "\(Int32(clamping: value))" }
}
