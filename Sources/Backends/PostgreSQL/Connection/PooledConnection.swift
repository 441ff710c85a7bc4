import Waiting

/// Owns one connection and the queue on which it blocks. Connects at first use, and again after a loss.
actor PooledConnection {
    private nonisolated let executor: QueueExecutor
    private let server: Server
    private var connection: PostgreSQLConnection?

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ server: Server) {
        self.server = server
        executor = QueueExecutor(label: "farm.postgresql")
    }

    /// Runs statements. Once begun they are not cancelled, since a caller that went away would not know the result.
    /// - Throws: `PostgreSQLFault`, or what `work` throws.
    func run<Value: Sendable>(_ work: @Sendable (PostgreSQLConnection) throws -> Value) throws -> Value {
        let connection = try connected()
        defer { if !connection.isIdle { self.connection = nil } }
        return try attempt(work, connection)
    }

    /// Runs statements that may leave a transaction open for the next ones.
    /// - Throws: `PostgreSQLFault`, or what `work` throws. Then nothing is left open.
    func runInTransaction<Value: Sendable>(_ work: @Sendable (PostgreSQLConnection) throws -> Value) throws -> Value {
        let connection = try connected()
        do { return try attempt(work, connection) } catch {
            if !connection.isIdle { self.connection = nil }
            throw error
        }
    }

    private func attempt<Value: Sendable>(
        _ work: @Sendable (PostgreSQLConnection) throws -> Value, _ connection: PostgreSQLConnection
    ) throws -> Value {
        do { return try work(connection) } catch let fault as PostgreSQLFault where fault.isLost {
            self.connection = nil
            throw fault
        }
    }

    /// Closes the connection.
    func close() { connection = nil }

    private func connected() throws -> PostgreSQLConnection {
        if let connection, connection.isAlive { return connection }
        connection = nil
        let new = try PostgreSQLConnection(server)
        connection = new
        return new
    }
}
