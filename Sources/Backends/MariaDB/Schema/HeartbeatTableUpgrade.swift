import CMariaDB
import Logging
import Pipeline

/// Brings `worker_heartbeats` up to date. Several processes may do so at once: it is no error if another one was
/// faster.
struct HeartbeatTableUpgrade: Sendable {
    let options: MariaDBOptions
    let log: Logger

    /// - Returns: what was done, one line for each step.
    /// - Throws: `PortFault`, `MariaDBFault`.
    func run(_ connection: MariaDBConnection) throws -> [String] {
        let types = try types(connection)
        guard !types.isEmpty else {
            try change(connection, [HeartbeatTable.create])
            try tryWriting(connection)
            return ["made the table worker_heartbeats in \(options.place)"]
        }
        let done = try addColumns(connection, types) + addIndexes(connection)
        try tryWriting(connection)
        return done
    }

    /// The type of each column that is there.
    private func types(_ connection: MariaDBConnection) throws -> [String: String] {
        let rows = try connection.run(
            """
            SELECT column_name, data_type FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = ?
            """, [HeartbeatTable.name])
        var types: [String: String] = [:]
        for row in rows {
            if let name = row.first ?? nil, let type = row.last ?? nil { types[name.lowercased()] = type.lowercased() }
        }
        return types
    }

    private func addColumns(_ connection: MariaDBConnection, _ types: [String: String]) throws -> [String] {
        let missing = HeartbeatTable.columns.filter { types[$0.name] == nil }
        try change(
            connection, missing.map { "ALTER TABLE \(HeartbeatTable.name) ADD COLUMN \($0.name) \($0.definition)" })
        if let type = types["timestamp"], type != "timestamp" {
            // A DATETIME has no time zone, and each writer means another one.
            throw PortFault(
                .unusable, place: options.place,
                message:
                    "worker_heartbeats.timestamp is \(type.uppercased()), not TIMESTAMP. An administrator runs this SQL:",
                script: """
                    USE \(options.quotedName);
                    ALTER TABLE \(HeartbeatTable.name) MODIFY timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP;
                    """)
        }
        return missing.map { "added the column worker_heartbeats.\($0.name)" }
    }

    /// Adds indexes. Heartbeats work without them, so if the user may not add them, a warning is enough.
    private func addIndexes(_ connection: MariaDBConnection) throws -> [String] {
        let rows = try connection.run(
            """
            SELECT index_name, column_name FROM information_schema.statistics
            WHERE table_schema = DATABASE() AND table_name = ? ORDER BY index_name, seq_in_index
            """, [HeartbeatTable.name])
        var present: [String: [String]] = [:]
        for row in rows {
            if let name = row.first ?? nil, let column = row.last ?? nil { present[name, default: []].append(column) }
        }
        var done: [String] = []
        for index in HeartbeatTable.indexes where !present.values.contains(where: { $0.starts(with: index.columns) }) {
            let sql = "ALTER TABLE \(HeartbeatTable.name) ADD \(index.definition)"
            do {
                try make(connection, sql)
                done.append("added the index \(index.name) to worker_heartbeats")
            } catch let fault as MariaDBFault where fault.isOfPermission {
                log.warning(
                    "\(options.place): worker_heartbeats lacks an index, which slows it; an administrator runs: \(sql);"
                )
            }
        }
        return done
    }

    // MARK: Parts

    /// Changes the table. If that is not allowed, says which SQL would do it.
    private func change(_ connection: MariaDBConnection, _ statements: [String]) throws {
        do { for sql in statements { try make(connection, sql) } } catch let fault as MariaDBFault
            where fault.isOfPermission
        {
            let script =
                (["USE \(options.quotedName)"] + statements).map { $0 + ";" } + [
                    options.grant(to: try? account(connection))
                ]
            throw PortFault(
                .unusable, place: options.place,
                message:
                    "\(fault.words); worker_heartbeats is missing or incomplete, and \(options.user) may not change "
                    + "that. An administrator runs this SQL:",
                script: script.joined(separator: "\n"))
        }
    }

    /// The account under which the server knows this user.
    private func account(_ connection: MariaDBConnection) throws -> String? {
        try connection.run("SELECT CURRENT_USER()").first?.first ?? nil
    }

    private func make(_ connection: MariaDBConnection, _ sql: String) throws {
        do { try connection.execute(sql) } catch let fault as MariaDBFault
            where [ER_TABLE_EXISTS_ERROR, ER_DUP_FIELDNAME, ER_DUP_KEYNAME].contains(fault.number)
        {}
    }

    /// Checks the rights that heartbeats need, without writing a row.
    private func tryWriting(_ connection: MariaDBConnection) throws {
        try connection.execute(
            "INSERT INTO worker_heartbeats (worker_id) SELECT worker_id FROM worker_heartbeats WHERE 1 = 0")
        try connection.execute("UPDATE worker_heartbeats SET worker_id = worker_id WHERE 1 = 0")
    }
}
