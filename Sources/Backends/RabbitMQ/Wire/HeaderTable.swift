import CRabbitMQ
import Model

/// A message's headers in the form of librabbitmq.
enum HeaderTable {
    /// A header frame cannot be split, so names and values together must fit into one.
    static let limit = 100_000

    /// Whether these headers can be sent. A name must have 1 to 255 bytes.
    static func fits(_ headers: [String: String]) -> Bool {
        headers.keys.allSatisfy { 1...255 ~= $0.utf8.count }
            && headers.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 6 } <= limit
    }

    /// Lends the headers as a table, in the order of their names, with numbers after texts.
    static func withTable<Value>(
        _ headers: [String: String], numbers: [String: Int32] = [:], _ body: (amqp_table_t) throws -> Value
    ) rethrows -> Value {
        let headers = headers.sorted { $0.key < $1.key }
        let numbers = numbers.sorted { $0.key < $1.key }
        var text =
            headers.flatMap { Array($0.key.utf8) + Array($0.value.utf8) } + numbers.flatMap { Array($0.key.utf8) }
        return try text.withUnsafeMutableBytes { buffer in
            var offset = 0
            func next(_ count: Int) -> amqp_bytes_t {
                defer { offset += count }
                return amqp_bytes_t(len: count, bytes: buffer.baseAddress.map { $0 + offset })
            }
            var entries = headers.map { header in
                var entry = amqp_table_entry_t()
                entry.key = next(header.key.utf8.count)
                entry.value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
                entry.value.value.bytes = next(header.value.utf8.count)
                return entry
            }
            entries += numbers.map { number in
                var entry = amqp_table_entry_t()
                entry.key = next(number.key.utf8.count)
                entry.value.kind = UInt8(AMQP_FIELD_KIND_I32.rawValue)
                entry.value.value.i32 = number.value
                return entry
            }
            return try entries.withUnsafeMutableBufferPointer { entries in
                try body(amqp_table_t(num_entries: Int32(entries.count), entries: entries.baseAddress))
            }
        }
    }

    /// Other programs may use any values. A value that is not text is written as JSON.
    static func headers(_ properties: amqp_basic_properties_t) -> [String: String] {
        guard properties._flags & UInt32(AMQP_BASIC_HEADERS_FLAG) != 0 else { return [:] }
        return texts(properties.headers)
    }

    /// The members of a table, all as text.
    static func texts(_ table: amqp_table_t) -> [String: String] {
        let members = members(table, depth: 0).map { ($0.key, $0.value.stringValue ?? $0.value.text) }
        return Dictionary(members) { _, last in last }
    }

    private static func members(_ table: amqp_table_t, depth: Int) -> [JSON.Member] {
        UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)).map {
            JSON.Member($0.key.string, value($0.value, depth: depth))
        }
    }

    private static func value(_ field: amqp_field_value_t, depth: Int) -> JSON {
        // The kinds are the characters of AMQP 0-9-1, section 4.2.1, as RabbitMQ uses them.
        switch UnicodeScalar(field.kind) {
        case "S", "x": .string(field.value.bytes.string)
        case "t": .bool(field.value.boolean != 0)
        case "b": .int(Int64(field.value.i8))
        case "B": .int(Int64(field.value.u8))
        case "s": .int(Int64(field.value.i16))
        case "u": .int(Int64(field.value.u16))
        case "I": .int(Int64(field.value.i32))
        case "i": .int(Int64(field.value.u32))
        case "l", "T": .int(field.value.i64)
        case "L": .int(Int64(clamping: field.value.u64))
        case "f" where field.value.f32.isFinite: .double(Double(field.value.f32))
        case "d" where field.value.f64.isFinite: .double(field.value.f64)
        case "F" where depth < 16: .object(members(field.value.table, depth: depth + 1))
        case "A" where depth < 16:
            .array(
                UnsafeBufferPointer(start: field.value.array.entries, count: Int(field.value.array.num_entries)).map {
                    value($0, depth: depth + 1)
                })
        default: .null
        }
    }
}
