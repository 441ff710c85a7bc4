import CMariaDB

/// A prepared statement. All values are sent and received as text. The server and the library convert them.
final class Statement {
    private let handle: UnsafeMutablePointer<MYSQL_STMT>

    /// - Throws: `MariaDBFault`.
    init(_ sql: String, on connection: UnsafeMutablePointer<MYSQL>) throws {
        guard let handle = mysql_stmt_init(connection) else { throw MariaDBFault(connection: connection) }
        self.handle = handle
        withUnsafePointer(to: my_bool(1)) { _ = mysql_stmt_attr_set(handle, STMT_ATTR_UPDATE_MAX_LENGTH, $0) }
        guard mysql_stmt_prepare(handle, sql, UInt(sql.utf8.count)) == 0 else { throw MariaDBFault(statement: handle) }
    }

    deinit { mysql_stmt_close(handle) }

    /// Runs it and returns all its rows.
    /// - Throws: `MariaDBFault`.
    func run(_ values: [String?]) throws -> [[String?]] {
        guard mysql_stmt_param_count(handle) == UInt(values.count) else {
            throw MariaDBFault(number: CR_PARAMS_NOT_BOUND, message: "another number of values than the statement has")
        }
        let parameters = Buffers(sizes: values.map { $0?.utf8.count ?? 0 })
        for (index, value) in values.enumerated() { parameters.put(value, at: index) }
        try check(values.isEmpty || mysql_stmt_bind_param(handle, parameters.binds.baseAddress) == 0)
        try check(mysql_stmt_execute(handle) == 0)
        guard let metadata = mysql_stmt_result_metadata(handle) else { return [] }
        mysql_free_result(metadata)
        defer { mysql_stmt_free_result(handle) }
        return try rows()
    }

    private func rows() throws -> [[String?]] {
        try check(mysql_stmt_store_result(handle) == 0)
        // Asked for again, since now it knows the length of the longest value in each column.
        guard let metadata = mysql_stmt_result_metadata(handle) else { throw MariaDBFault(statement: handle) }
        defer { mysql_free_result(metadata) }
        let columns = Int(mysql_num_fields(metadata))
        let fields = UnsafeBufferPointer(start: mysql_fetch_fields(metadata), count: columns)
        let row = Buffers(sizes: fields.map { Int($0.max_length) + Statement.widestNumber })
        try check(mysql_stmt_bind_result(handle, row.binds.baseAddress) == 0)
        var rows: [[String?]] = []
        while true {
            switch mysql_stmt_fetch(handle) {
            case 0: rows.append((0..<columns).map { row.text(at: $0) })
            case MYSQL_NO_DATA: return rows
            case MYSQL_DATA_TRUNCATED:
                throw MariaDBFault(number: CR_UNKNOWN_ERROR, message: "a value is longer than the library said")
            default: throw MariaDBFault(statement: handle)
            }
        }
    }

    /// Room for a number as text. For numbers the library gives the width of their binary form.
    private static let widestNumber = 64

    private func check(_ isDone: Bool) throws {
        guard isDone else { throw MariaDBFault(statement: handle) }
    }
}

/// The memory from which libmariadb reads values, and to which it writes them. It does not move.
private final class Buffers {
    let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let lengths: UnsafeMutableBufferPointer<UInt>
    private let nulls: UnsafeMutableBufferPointer<my_bool>
    private let bytes: [UnsafeMutableRawBufferPointer]

    init(sizes: [Int]) {
        binds = .allocate(capacity: sizes.count)
        lengths = .allocate(capacity: sizes.count)
        nulls = .allocate(capacity: sizes.count)
        bytes = sizes.map { .allocate(byteCount: max(1, $0), alignment: 1) }
        lengths.initialize(repeating: 0)
        nulls.initialize(repeating: 0)
        binds.initialize(repeating: MYSQL_BIND())
        for index in sizes.indices {
            binds[index].buffer_type = MYSQL_TYPE_STRING
            binds[index].buffer = bytes[index].baseAddress
            binds[index].buffer_length = UInt(sizes[index])
            binds[index].length = lengths.baseAddress.map { $0 + index }
            binds[index].is_null = nulls.baseAddress.map { $0 + index }
        }
    }

    deinit {
        binds.deallocate()
        lengths.deallocate()
        nulls.deallocate()
        for buffer in bytes { buffer.deallocate() }
    }

    func put(_ text: String?, at index: Int) {
        guard let text else {
            nulls[index] = 1
            return
        }
        bytes[index].copyBytes(from: text.utf8)
        lengths[index] = UInt(text.utf8.count)
    }

    func text(at index: Int) -> String? {
        guard nulls[index] == 0 else { return nil }
        return String(decoding: bytes[index].prefix(Int(lengths[index])), as: UTF8.self)
    }
}
