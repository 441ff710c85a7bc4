import Foundation

/// A PgBouncer in front of the PostgreSQL server that all tests share, with its databases and users.
package struct PgBouncerServer: Server {
    package static let kind = "pgbouncer"

    package let place: ServerPlace

    package init(_ place: ServerPlace) { self.place = place }

    /// The variables of a .env that choose this way to the database.
    package func settings(_ database: PostgreSQLServer.Database) -> [String: String] {
        [
            "DB_HOST": host, "DB_PORT": "\(port)", "DB_NAME": database.name, "DB_USER": database.user,
            "DB_PASSWORD": database.password, "DB_SSLMODE": "verify-full", "DB_CA_FILE": caFile,
        ]
    }

    /// Starts it again in another mode: session, transaction or statement.
    package func restart(mode: String) async throws {
        try await stop()
        try mode.write(toFile: folder + "/mode", atomically: true, encoding: .utf8)
        try await start()
    }
}
