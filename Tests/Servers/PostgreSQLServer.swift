import CPostgreSQL

/// A PostgreSQL server. Its administrator is `postgres`, without a password.
package struct PostgreSQLServer: Server {
    package static let kind = "postgresql"

    package let place: ServerPlace

    package init(_ place: ServerPlace) { self.place = place }

    /// A database of one test's own, empty at first, and the user who owns it.
    package struct Database: Sendable {
        package let name: String
        package let user: String
        package let password: String
    }

    package func database() async throws -> Database {
        let name = uniqueName()
        let database = Database(name: name, user: name, password: uniquePassword())
        try await run("CREATE ROLE \(name) LOGIN PASSWORD '\(database.password)'")
        try await run("CREATE DATABASE \(name) OWNER \(name)")
        return database
    }

    /// The variables of a .env that choose it.
    package func settings(_ database: Database, tls: Bool = false) -> [String: String] {
        [
            "DB_HOST": host, "DB_PORT": "\(port)", "DB_NAME": database.name, "DB_USER": database.user,
            "DB_PASSWORD": database.password, "DB_SSLMODE": tls ? "verify-full" : "disable", "DB_CA_FILE": caFile,
        ]
    }

    package func remove(_ database: Database) async {
        _ = try? await run("DROP DATABASE IF EXISTS \(database.name) WITH (FORCE)")
        _ = try? await run("DROP ROLE IF EXISTS \(database.user)")
    }

    /// Runs SQL as the administrator, with a connection of its own.
    /// - Returns: the rows of the last statement; nulls as empty texts.
    @discardableResult
    package func run(_ sql: String, in database: String = "postgres") async throws -> [[String]] {
        try await offPool {
            let connection = PQsetdbLogin(
                "127.0.0.1", String(port), nil, nil, database, "postgres", "")
            defer { PQfinish(connection) }
            PQsetNoticeProcessor(connection, { _, _ in }, nil)
            let result = PQexec(connection, sql)
            defer { PQclear(result) }
            guard [PGRES_COMMAND_OK, PGRES_TUPLES_OK].contains(PQresultStatus(result)) else {
                throw ServerFailure("\(String(cString: PQerrorMessage(connection))) in \(sql)")
            }
            return (0..<PQntuples(result)).map { row in
                (0..<PQnfields(result)).map { column in
                    PQgetvalue(result, row, column).map { String(cString: $0) } ?? ""
                }
            }
        }
    }
}
