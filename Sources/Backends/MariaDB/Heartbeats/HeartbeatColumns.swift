import Foundation

/// Values that fit the columns of `worker_heartbeats`.
enum HeartbeatColumns {
    /// The length of worker_id, service_name and node_hostname, in characters.
    static let name = 50
    /// A TEXT holds 65,535 bytes, and a character has at most four.
    static let message = 16_000

    /// The value, cut and marked if it is longer than the column.
    static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit, text.unicodeScalars.count > limit else { return text }
        var scalars = String.UnicodeScalarView(text.unicodeScalars.prefix(limit - 1))
        scalars.append("…")
        return String(scalars)
    }

    /// A FLOAT. nil if none can hold the value.
    static func real(_ value: Double) -> String? {
        let value = Float(value)
        return value.isFinite ? "\(value)" : nil
    }

    /// An INT.
    static func integer(_ value: Int) -> String { "\(Int32(clamping: value))" }
}
