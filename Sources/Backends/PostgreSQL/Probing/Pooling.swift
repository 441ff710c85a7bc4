/// What kind of pooler is between farm and a server.
enum Pooling {
    /// Each client has its own session of the server.
    case sessions
    /// Each transaction has its own session.
    case transactions

    var text: String {
        switch self {
        case .sessions: "through a pooler that keeps sessions"
        case .transactions: "through a pooler in transaction mode"
        }
    }

    /// nil if nothing is in between.
    ///
    /// It takes two clients to find out. While the first one is connected but idle, the second may get the first one's
    /// server process, or the first one a different process than before. That happens only if clients do not own
    /// sessions.
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
            // There is no session for a second client. With transaction pooling, a transaction would not have to wait
            // for one.
            outcome = .success(.sessions)
        } catch { outcome = .failure(error) }
        await other.close()
        return try outcome.get()
    }

    @Sendable private static func process(_ connection: PostgreSQLConnection) throws -> Int? {
        try connection.execute("SELECT pg_backend_pid()")?.first?.integer(0)
    }
}
