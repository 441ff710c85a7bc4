/// Owns one connection and the queue on which it blocks; connects when it is first used and again after a loss.
actor Session {
    private nonisolated let executor: QueueExecutor
    private let server: Server
    private var link: Link?

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ server: Server) {
        self.server = server
        executor = QueueExecutor(label: "farm.postgresql")
    }

    /// Runs statements. Once begun they are not cancelled: a caller that goes away would not know what became of them.
    /// - Throws: `ServerFault`, or what `work` throws.
    func run<Value: Sendable>(_ work: @Sendable (Link) throws -> Value) throws -> Value {
        let link = try connected()
        defer { if !link.isIdle { self.link = nil } }
        return try attempt(work, link)
    }

    /// Runs statements that may leave a transaction open, for the next ones to go on with.
    /// - Throws: `ServerFault`, or what `work` throws; then nothing is left open.
    func runInTransaction<Value: Sendable>(_ work: @Sendable (Link) throws -> Value) throws -> Value {
        let link = try connected()
        do { return try attempt(work, link) } catch {
            if !link.isIdle { self.link = nil }
            throw error
        }
    }

    private func attempt<Value: Sendable>(_ work: @Sendable (Link) throws -> Value, _ link: Link) throws -> Value {
        do { return try work(link) } catch let fault as ServerFault where fault.isLost {
            self.link = nil
            throw fault
        }
    }

    /// Closes the connection.
    func close() { link = nil }

    private func connected() throws -> Link {
        if let link, link.isAlive { return link }
        link = nil
        let new = try Link(server)
        link = new
        return new
    }
}
