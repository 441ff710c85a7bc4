import CRabbitMQ
import Pipeline

/// A librabbitmq connection that is logged in. Only one thread may use it at a time: its owner is an actor.
///
/// After the login, nothing here waits for the broker. Requests are sent, and their answers come as frames like
/// everything else.
final class AMQPConnection {
    /// `k2:5672`.
    let place: String
    let descriptor: Int32
    let state: amqp_connection_state_t
    /// Incomplete messages, by channel.
    var partial: [UInt16: PartialMessage] = [:]

    /// - Parameter state: owned by the connection from now on.
    init(_ state: amqp_connection_state_t, place: String) {
        self.state = state
        self.place = place
        descriptor = amqp_get_sockfd(state)
    }

    deinit { amqp_destroy_connection(state) }

    /// Whether a message of usual size can be sent without waiting.
    var isWritable: Bool { crabbitmq_is_writable(descriptor) != 0 }

    /// The highest channel number. nil if there is no limit.
    var mostChannels: Int? {
        let most = Int(amqp_get_channel_max(state))
        return most > 0 ? most : nil
    }

    /// What the broker says about itself: `product`, `version` and more.
    var serverProperties: [String: String] {
        amqp_get_server_properties(state).map { HeaderTable.texts($0.pointee) } ?? [:]
    }

    func check(_ status: Int32) throws {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        throw PortFault(.transient, place: place, message: AMQPConnection.text(status))
    }

    static func text(_ status: Int32) -> String {
        if status == AMQP_STATUS_HEARTBEAT_TIMEOUT.rawValue { return "silent for two heartbeats" }
        return String(cString: amqp_error_string2(status))
    }
}

extension amqp_bytes_t {
    var string: String { String(decoding: UnsafeRawBufferPointer(start: bytes, count: len), as: UTF8.self) }

    var array: [UInt8] { Array(UnsafeRawBufferPointer(start: bytes, count: len)) }
}

/// Lends the bytes of a string to the library.
func withBytes<Value>(_ text: String, _ body: (amqp_bytes_t) throws -> Value) rethrows -> Value {
    var text = text
    return try text.withUTF8 { buffer in
        try body(amqp_bytes_t(len: buffer.count, bytes: UnsafeMutableRawPointer(mutating: buffer.baseAddress)))
    }
}
