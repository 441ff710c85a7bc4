import CRabbitMQ
import Pipeline

/// A message's properties as they are sent, including headers of all types.
enum MessageProperties {
    /// Headers that are not copied: those with which the broker counts, and those by which it would send the copy to
    /// other queues.
    private static let left: Set<String> = [
        FarmHeader.returns, "x-acquired-count", "CC", "BCC", FarmHeader.redelivered,
    ]
    private static let basicClass: UInt16 = 60

    /// Lends the properties of a copy to the library.
    /// - Parameter properties: the encoded properties, as they were received.
    /// - Returns: nil if they cannot be read.
    static func withCopy<Value>(
        of properties: [UInt8], isRedelivered: Bool, _ body: (inout amqp_basic_properties_t) throws -> Value
    ) rethrows -> Value? {
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4096)
        defer { empty_amqp_pool(&pool) }
        return try properties.withUnsafeBytes { buffer in
            let encoded = amqp_bytes_t(
                len: buffer.count, bytes: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
            var decoded: UnsafeMutableRawPointer?
            guard amqp_decode_properties(basicClass, &pool, encoded, &decoded) == AMQP_STATUS_OK.rawValue,
                var copy = decoded?.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee
            else { return nil }
            // The broker would compare it with the user of the connection.
            copy._flags &= ~UInt32(AMQP_BASIC_USER_ID_FLAG)
            let hasHeaders = copy._flags & UInt32(AMQP_BASIC_HEADERS_FLAG) != 0
            var entries =
                hasHeaders
                ? UnsafeBufferPointer(start: copy.headers.entries, count: Int(copy.headers.num_entries))
                    .filter { !left.contains($0.key.string) } : []
            return try HeaderTable.withTable(isRedelivered ? [FarmHeader.redelivered: FarmHeader.yes] : [:]) { mark in
                entries += UnsafeBufferPointer(start: mark.entries, count: Int(mark.num_entries))
                return try entries.withUnsafeMutableBufferPointer { entries in
                    copy.headers = amqp_table_t(num_entries: Int32(entries.count), entries: entries.baseAddress)
                    if hasHeaders || !entries.isEmpty { copy._flags |= UInt32(AMQP_BASIC_HEADERS_FLAG) }
                    return try body(&copy)
                }
            }
        }
    }
}
