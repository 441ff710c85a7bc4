import Foundation
import Model
import Pipeline
import PostgreSQL
import Servers
import Synchronization
import Waiting

extension PostgreSQLDatabase {
    static func open(_ options: PostgreSQLOptions, readsOnly: Bool = false) async throws -> PostgreSQLDatabase {
        try await PostgreSQLDatabase(options, time: SystemTime(), log: quiet, readsOnly: readsOnly)
    }
}

extension PostgreSQLServer {
    /// As the administrator.
    func options(_ name: String = "postgres") -> PostgreSQLOptions {
        PostgreSQLOptions(
            host: "127.0.0.1", port: port, name: name, user: "postgres", password: { "" }, sslMode: "disable",
            applicationName: name)
    }

    func options(_ database: Database) -> PostgreSQLOptions {
        var options = options(database.name)
        (options.user, options.password) = (database.user, { database.password })
        return options
    }
}

extension PgBouncerServer {
    func options(_ database: PostgreSQLServer.Database) -> PostgreSQLOptions {
        PostgreSQLOptions(
            host: "127.0.0.1", port: port, name: database.name, user: database.user, password: { database.password },
            sslMode: "disable", applicationName: database.name)
    }
}

/// Runs SQL in the database of a test, as another program would.
/// - Returns: the first column of what the last statement answered.
func tool(_ options: PostgreSQLOptions, _ sql: String) async throws -> [String] {
    try await PostgreSQLServer.shared().run(sql, in: options.name).map { $0[0] }
}

/// Runs a test on an empty database of its own, as the administrator.
func withDatabase(_ test: (PostgreSQLOptions) async throws -> Void) async throws {
    let server = try PostgreSQLServer.shared()
    let database = try await server.database()
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await test(server.options(database.name))) } catch { outcome = .failure(error) }
    await server.remove(database)
    try outcome.get()
}

extension StoreBackend {
    static let postgresql = StoreBackend(name: "PostgreSQL") {
        let server = try PostgreSQLServer.shared()
        let place = try await server.database()
        return try await base(place, server.options(place))
    }

    /// Through PgBouncer, where each transaction has another session of the server than the one before.
    static let pooled = StoreBackend(name: "PostgreSQL through PgBouncer") {
        let place = try await PostgreSQLServer.shared().database()
        return try await base(place, PgBouncerServer.shared().options(place))
    }

    /// - Parameter options: those of the way that farm takes; the test's own SQL goes to the server itself.
    private static func base(_ place: PostgreSQLServer.Database, _ options: PostgreSQLOptions) async throws -> StoreBase
    {
        let server = try PostgreSQLServer.shared()
        let database = try await PostgreSQLDatabase.open(options)
        let others = Mutex<[PostgreSQLDatabase]>([])
        return StoreBase(
            store: PostgreSQLStore(database),
            connect: {
                let other = try await PostgreSQLDatabase.open(options)
                others.withLock { $0.append(other) }
                return PostgreSQLStore(other)
            },
            tolerance: 30,
            advance: { duration in
                let columns = [
                    ("results", "result_created"), ("merged_boxes", "created"), ("consensus", "consensus_created"),
                    ("postprocessing", "result_created"), ("farm_workers", "seen"), ("farm_rates", "minute"),
                    ("farm_count_changes", "added"), ("farm_progress", "minute"), ("farm_progress", "noted"),
                    ("farm_control", "until"), ("farm_control", "set_at"), ("farm_tokens", "refilled"),
                ]
                let shifts = columns.map { table, column in
                    "UPDATE \(table) SET \(column) = \(column) - interval '\(duration.seconds) seconds'"
                }
                _ = try await tool(options, shifts.joined(separator: "; "))
            },
            execute: { sql in _ = try await tool(options, sql) }, select: { try await tool(options, $0) },
            close: {
                for other in others.withLock({ $0 }) { await other.close() }
                await database.close()
                await server.remove(place)
            })
    }
}
