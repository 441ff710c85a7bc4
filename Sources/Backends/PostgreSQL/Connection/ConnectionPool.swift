import Logging
import Pipeline
import Synchronization
import Waiting

/// A few connections to one server. Work that fails because of a lost connection or another transaction is repeated.
final class ConnectionPool: Sendable {
    /// How long a call repeats its work before it throws.
    private static let patience = Duration.seconds(3)

    private struct State {
        var free: [PooledConnection]
        var waiters: [CheckedContinuation<PooledConnection?, Never>] = []
        var isClosed = false
        var isDown = false
        var isClearTold = false
    }

    let server: Server
    private let sessions: [PooledConnection]
    private let state: Mutex<State>
    private let time: any Timekeeper
    private let log: Logger

    init(_ server: Server, size: Int, time: any Timekeeper, log: Logger) {
        self.server = server
        self.time = time
        self.log = log
        sessions = (0..<size).map { _ in PooledConnection(server) }
        state = Mutex(State(free: sessions))
    }

    /// Runs one transaction on some connection. It must be safe to repeat: if the connection is lost during the commit,
    /// nobody knows whether the transaction took effect.
    /// - Throws: `PortFault`, `CancellationError`.
    func run<Value: Sendable>(_ work: @Sendable @escaping (PostgreSQLConnection) throws -> Value) async throws -> Value
    {
        var backOff = BackOff(base: .milliseconds(50), limit: .seconds(1))
        let deadline = ContinuousClock.now + ConnectionPool.patience
        while true {
            do {
                let value = try await withSession { session in
                    try await session.run { connection in
                        if connection.isUnexpectedlyClear { tellOfClearText() }
                        return try work(connection)
                    }
                }
                tell(nil)
                return value
            } catch let fault as PostgreSQLFault {
                if fault.isLost { tell(fault) }
                guard fault.isWorthRepeating, .now < deadline else { throw PortFault(fault, server) }
                try await time.sleep(backOff.next())
            }
        }
    }

    /// Keeps one connection while `body` runs.
    /// - Throws: `PortFault` if the pool is closed, or what `body` throws.
    func withSession<Value: Sendable>(_ body: (PooledConnection) async throws -> Value) async throws -> Value {
        guard let session = await take() else {
            throw PortFault(.unusable, place: server.place, message: "is closed")
        }
        defer { giveBack(session) }
        return try await body(session)
    }

    /// Closes all connections after their present work.
    func close() async {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: nil) }
        for session in sessions { await session.close() }
    }

    // MARK: Parts

    private func take() async -> PooledConnection? {
        await withCheckedContinuation { continuation in
            let session = state.withLock { state -> PooledConnection?? in
                if state.isClosed { return .some(nil) }
                // The connection that was used last, so that others may stay unconnected.
                if let session = state.free.popLast() { return session }
                state.waiters.append(continuation)
                return nil
            }
            if let session { continuation.resume(returning: session) }
        }
    }

    private func giveBack(_ session: PooledConnection) {
        let waiter = state.withLock { state -> CheckedContinuation<PooledConnection?, Never>? in
            if state.waiters.isEmpty {
                state.free.append(session)
                assert(state.free.count <= sessions.count, "a connection is given back once, by who took it")
                return nil
            }
            return state.waiters.removeFirst()
        }
        waiter?.resume(returning: session)
    }

    /// Logs once that TLS is off.
    private func tellOfClearText() {
        let isNew = state.withLock { state in
            defer { state.isClearTold = true }
            return !state.isClearTold
        }
        guard isNew else { return }
        log.warning(
            "\(server.place): the connection is not encrypted, since the server offers no TLS and DB_SSLMODE=\(server.options.sslMode) goes on without: set verify-full, or disable where the network is yours"
        )
    }

    /// Logs once that the server is away, and once that it is back.
    private func tell(_ fault: PostgreSQLFault?) {
        let isNew = state.withLock { state in
            defer { state.isDown = fault != nil }
            return state.isDown != (fault != nil)
        }
        guard isNew else { return }
        if let fault {
            log.info("\(server.place): connection lost, connecting again: \(fault.message)")
        } else {
            log.info("\(server.place): connected again")
        }
    }
}
