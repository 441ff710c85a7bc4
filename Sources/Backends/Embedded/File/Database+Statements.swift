import GRDB

/// Statements by their text. Each is compiled once for each connection.
extension Database {
    /// Runs a statement.
    /// - Returns: how many rows it changed. Changes by triggers are not counted.
    @discardableResult
    func run(_ sql: String, _ arguments: StatementArguments = []) throws -> Int {
        try cachedStatement(sql: sql).execute(arguments: arguments)
        return changesCount
    }

    /// All rows of a statement, each turned into a value while it is read.
    func all<Value>(
        _ sql: String, _ arguments: StatementArguments = [], _ value: (Row) throws -> Value
    ) throws -> [Value] {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        var values: [Value] = []
        while let row = try rows.next() { values.append(try value(row)) }
        return values
    }

    /// The first row of a statement, turned into a value.
    func first<Value>(
        _ sql: String, _ arguments: StatementArguments = [], _ value: (Row) throws -> Value
    ) throws -> Value? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments).map(value)
    }

    /// The whole number in the first column of the first row. nil if there is none.
    func integer(_ sql: String, _ arguments: StatementArguments = []) throws -> Int? {
        try first(sql, arguments) { $0.integer(0) } ?? nil
    }

    /// Whether a statement has any row.
    func exists(_ sql: String, _ arguments: StatementArguments = []) throws -> Bool {
        try first(sql, arguments) { _ in true } ?? false
    }

    /// Reads one snapshot.
    func inSnapshot<Value>(_ work: () throws -> Value) throws -> Value {
        try run("BEGIN DEFERRED TRANSACTION")
        // The connection of a cancelled task refuses to commit.
        defer { do { try run("COMMIT TRANSACTION") } catch { try? rollback() } }
        return try work()
    }

    /// Writes everything or nothing. Nobody else writes meanwhile.
    func inWriting<Value>(_ work: () throws -> Value) throws -> Value {
        try run("BEGIN IMMEDIATE TRANSACTION")
        do {
            let value = try work()
            try run("COMMIT TRANSACTION")
            return value
        } catch {
            try? rollback()
            throw error
        }
    }

    /// Writes, and rolls everything back.
    func inTrial(_ work: () throws -> Void) throws {
        try run("BEGIN IMMEDIATE TRANSACTION")
        defer { try? rollback() }
        try work()
    }
}
