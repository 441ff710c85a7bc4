/// What stands between farm and a server, and what it keeps together.
enum Pooling {
    /// Each client has a session of the server's for itself.
    case sessions
    /// Each transaction has one for itself.
    case transactions

    var text: String {
        switch self {
        case .sessions: "through a pooler that keeps sessions"
        case .transactions: "through a pooler in transaction mode"
        }
    }

    /// nil: nothing stands in between.
    ///
    /// Two clients are needed to tell: while the first one is connected but idle, the second gets the first one's process of
    /// the server, or the first one another than before, only where no session is anybody's own.
    /// - Throws: `PostgreSQLFault`, if a transaction is refused too.
    static func found(_ session: PooledConnection, _ server: Server) async throws -> Pooling? {
        guard try await session.run({ $0.isPooled }) else { return nil }
        let first = try await session.run(process)
        let other = PooledConnection(server)
        let outcome: Result<Pooling, any Error>
        do {
            let second = try await other.runInTransaction { connection in
                try connection.execute("BEGIN", within: .seconds(1))
                return try process(connection)
            }
            let again = try await session.run(process)
            outcome = .success(second == first || again != first ? .transactions : .sessions)
        } catch let fault as PostgreSQLFault where fault.state == nil {
            // No session is left for a second client, which a transaction would not have to wait for.
            outcome = .success(.sessions)
        } catch { outcome = .failure(error) }
        await other.close()
        return try outcome.get()
    }

    @Sendable private static func process(_ connection: PostgreSQLConnection) throws -> Int? {
        try connection.execute("SELECT pg_backend_pid()")?.first?.integer(0)
    }
}
