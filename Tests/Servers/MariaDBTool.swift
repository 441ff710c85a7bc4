import CMariaDB
import Dispatch

/// Runs SQL as another program would: over the server's socket, as root, with a session as the server sets it up.
package final class MariaDBTool: Sendable {
    private let queue = DispatchQueue(label: "tool")
    /// Used on the queue alone.
    nonisolated(unsafe) private let handle: UnsafeMutablePointer<MYSQL>

    init(_ server: MariaDBServer, database: String?) throws {
        guard mysql_server_init(0, nil, nil) == 0, let handle = mysql_init(nil) else {
            throw ServerFailure("no memory left")
        }
        self.handle = handle
        mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        guard mysql_real_connect(handle, nil, "root", "", database, 0, server.socket, 0) != nil else {
            throw ServerFailure(String(cString: mysql_error(handle)))
        }
    }

    deinit { mysql_close(handle) }

    /// - Returns: the rows, nulls as empty texts.
    @discardableResult
    package func run(_ sql: String) async throws -> [[String]] {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in continuation.resume(with: Result { try query(sql) }) }
        }
    }

    /// The first column of the first row.
    package func value(_ sql: String) async throws -> String { try await run(sql).first?.first ?? "" }

    private func query(_ sql: String) throws -> [[String]] {
        guard mysql_real_query(handle, sql, UInt(sql.utf8.count)) == 0 else {
            throw ServerFailure("\(String(cString: mysql_error(handle))) in \(sql)")
        }
        guard let result = mysql_store_result(handle) else { return [] }
        defer { mysql_free_result(result) }
        var rows: [[String]] = []
        while let row = mysql_fetch_row(result) {
            rows.append(
                (0..<Int(mysql_num_fields(result))).map { index in row[index].map { String(cString: $0) } ?? "" })
        }
        return rows
    }
}
