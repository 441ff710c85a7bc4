import Foundation
import Model
import Pipeline
import PostgreSQL
import Synchronization

extension PostgreSQLDatabase {
    static func open(_ options: PostgreSQLOptions, readsOnly: Bool = false) async throws -> PostgreSQLDatabase {
        try await PostgreSQLDatabase(options, time: SystemTime(), log: quiet, readsOnly: readsOnly)
    }
}

extension StoreBackend {
    static let postgresql = StoreBackend(name: "PostgreSQL") {
        let server = try await PostgreSQLServer.common()
        let options = try await server.database()
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
                    ("postprocessing", "result_created"),
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
                await server.drop(options)
            })
    }
}
