import CPostgreSQL
import Foundation
import PostgreSQL

/// Runs SQL as another program would, with a connection of its own.
/// - Returns: the first column of what the last statement answered; nulls as empty texts.
func tool(_ options: PostgreSQLOptions, _ sql: String) async throws -> [String] {
    try await offPool {
        let connection = PQsetdbLogin(
            options.host, String(options.port), nil, nil, options.name, options.user, options.password())
        defer { PQfinish(connection) }
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        let result = PQexec(connection, sql)
        defer { PQclear(result) }
        guard [PGRES_COMMAND_OK, PGRES_TUPLES_OK].contains(PQresultStatus(result)) else {
            throw PostgreSQLServer.Failure(description: "\(String(cString: PQerrorMessage(connection))) in \(sql)")
        }
        return (0..<PQntuples(result)).map { row in PQgetvalue(result, row, 0).map { String(cString: $0) } ?? "" }
    }
}
