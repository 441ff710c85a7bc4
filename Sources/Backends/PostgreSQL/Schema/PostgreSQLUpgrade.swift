import Logging
import Pipeline
import Waiting

/// Brings a database up to date. Only one machine at a time does so.
struct PostgreSQLUpgrade: Sendable {
    let pool: ConnectionPool
    let time: any Timekeeper
    let log: Logger

    /// Whether anything is missing.
    static func isNeeded(_ connection: PostgreSQLConnection) throws -> Bool {
        try !SchemaPlan(SchemaState(connection), place: connection.server.place).steps.isEmpty
    }

    /// Takes the lock and adds what is missing. While it waits, it reports for whom.
    /// - Returns: what was done, one line for each step.
    /// - Throws: `PortFault`, with the SQL for an administrator if this user lacks the rights; `CancellationError`.
    func run() async throws -> [String] {
        try await pool.withSession { holder in
            try await pool.withSession { worker in
                do {
                    try await lock(holder)
                    let outcome: Result<[String], any Error>
                    do { outcome = .success(try await upgrade(worker, holder)) } catch { outcome = .failure(error) }
                    try? await holder.run(UpgradeLock.release)
                    return try outcome.get()
                } catch let fault as PostgreSQLFault { throw PortFault(fault, pool.server) }
            }
        }
    }

    /// How long writers may have to wait for a step that holds them up, in milliseconds; and how often the step is
    /// tried, a second apart, since a long transaction may end meanwhile.
    private static let hold = 500
    private static let tries = 300

    // MARK: Waiting

    private func lock(_ holder: PooledConnection) async throws {
        var told = Told()
        while let other = try await holder.runInTransaction(UpgradeLock.take) {
            tell(other, &told, "which brings the tables up to date")
            try await time.sleep(.milliseconds(200))
        }
    }

    /// Runs a part of the upgrade, and reports what it has to wait for in the server.
    private func watched<Value: Sendable>(
        _ worker: PooledConnection, _ holder: PooledConnection,
        _ work: @Sendable @escaping (PostgreSQLConnection) throws -> Value
    ) async throws -> Value {
        let watch = Task<Void, any Error> {
            var told = Told()
            while true {
                try await time.sleep(.seconds(1))
                guard let other = try await holder.runInTransaction(Waiting.blocker) else { continue }
                tell(other, &told, "which holds a lock or an old view of the tables")
            }
        }
        defer { watch.cancel() }
        return try await worker.run(work)
    }

    /// The server processes that were reported already.
    private typealias Told = Set<Int>

    private func tell(_ other: Waiting, _ told: inout Told, _ what: String) {
        guard told.insert(other.process).inserted else { return }
        log.warning("\(pool.server.place): waits for \(other.who), \(what)")
    }

    // MARK: Upgrading

    private func upgrade(_ worker: PooledConnection, _ holder: PooledConnection) async throws -> [String] {
        // With a pooler, a setting of the session would be passed on to other programs.
        try await worker.run { connection in
            if !connection.isPooled { try connection.execute("SET statement_timeout = 0; SET lock_timeout = 0") }
        }
        let outcome: Result<[String], any Error>
        do { outcome = .success(try await run(worker, holder)) } catch { outcome = .failure(error) }
        try? await worker.run { connection in
            if !connection.isPooled { try connection.execute(PostgreSQLConnection.sessionSettings) }
        }
        return try outcome.get()
    }

    private func run(_ worker: PooledConnection, _ holder: PooledConnection) async throws -> [String] {
        let (plan, schema) = try await worker.run { connection in
            let state = try SchemaState(connection)
            return (try SchemaPlan(state, place: connection.server.place), state.schema)
        }
        var done: [String] = []
        do {
            for part in plan.parts {
                try await holder.runInTransaction(UpgradeLock.confirm)
                done += try await patiently(part, holder) {
                    try await watched(worker, holder) { try PostgreSQLUpgrade.run(part, $0) }
                }
            }
        } catch let fault as PostgreSQLFault where fault.state == "42501" {
            let options = pool.server.options
            throw PortFault(
                .unusable, place: pool.server.place,
                message:
                    "\(fault.words); \(options.user) may not bring the tables up to date. An administrator runs this SQL in "
                    + "the database \(options.name), or makes \(options.user) the tables' owner:",
                script: plan.script(user: options.user, schema: schema ?? "public"))
        }
        return done
    }

    /// Tries a step again if it did not get its table between two writers' transactions, and reports whom it waits for.
    private func patiently(
        _ part: SchemaPlan.Part, _ holder: PooledConnection, _ work: () async throws -> [String]
    ) async throws -> [String] {
        var told = Told()
        for _ in 1..<PostgreSQLUpgrade.tries {
            do { return try await work() } catch let fault as PostgreSQLFault where fault.state == "55P03" {
                guard case .alone(let step) = part, let table = step.holdsUp else { throw fault }
                let writers = """
                    SELECT l.pid FROM pg_locks l WHERE l.locktype = 'relation' AND l.granted
                    AND l.relation = to_regclass('\(table)') AND l.mode IN ('RowExclusiveLock', 'ShareLock',
                        'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                    """
                if let other = try await holder.runInTransaction({ try Waiting.find($0, writers) }) {
                    tell(other, &told, "which has written to \(table) and not ended its transaction")
                }
                try await time.sleep(.seconds(1))
            }
        }
        return try await work()
    }

    private static func run(_ part: SchemaPlan.Part, _ connection: PostgreSQLConnection) throws -> [String] {
        switch part {
        case .alone(let step) where step.holdsUp != nil:
            try connection.rollingBack {
                try connection.execute("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = \(hold)")
                try connection.execute(step.sql, within: nil)
                try connection.execute("COMMIT")
            }
        case .alone(let step):
            do { try connection.execute(step.sql, within: nil) } catch let fault as PostgreSQLFault
                where step.mayFail && fault.state == "23505"
            {
                return ["not done, another program wrote meanwhile: \(step.told ?? step.sql); run `farm init` again"]
            }
        case .together(let steps):
            try connection.rollingBack {
                // A statement that waits for a table makes all later ones wait too.
                try connection.execute("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 5000")
                for step in steps { try connection.execute(step.sql, within: nil) }
                try connection.execute("COMMIT")
            }
        }
        return part.told
    }
}
