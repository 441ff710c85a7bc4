import CPostgreSQL

extension PostgreSQLConnection {
    /// Runs SQL without parameters as it is, even several statements. For what is not allowed in a pipeline.
    /// - Parameter limit: nil for as long as it takes.
    /// - Returns: the answer to the last statement.
    /// - Throws: `PostgreSQLFault`.
    @discardableResult
    func execute(_ sql: String, within limit: Duration? = PostgreSQLConnection.statementLimit) throws -> Rows? {
        let deadline = PostgreSQLConnection.deadline(limit)
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
        try flush(until: deadline)
        var fault: PostgreSQLFault?
        var last: Rows?
        while let result = try nextResult(until: deadline) {
            let rows = Rows(result)
            if PQresultStatus(result) == PGRES_FATAL_ERROR {
                fault = fault ?? PostgreSQLFault(result: result)
            } else {
                last = rows
            }
            guard PQstatus(handle) == CONNECTION_OK else { throw fault ?? lost() }
        }
        if let fault { throw fault }
        return last
    }

    /// Runs statements in one round trip. If one fails, those after it are not run.
    /// - Parameter isolation: begins a transaction that stays open. If it is nil, the statements continue the open
    ///   transaction, or are one by themselves.
    /// - Returns: the answer to each statement.
    /// - Throws: `PostgreSQLFault` of the first that failed.
    func run(_ statements: [Statement], beginning isolation: Isolation? = nil) throws -> [Rows] {
        var opening = isolation.map { [Statement($0.rawValue)] } ?? []
        if isPooled, PQtransactionStatus(handle) == PQTRANS_IDLE {
            opening.append(Statement(PostgreSQLConnection.transactionSettings))
        }
        return Array(try pipeline(opening + statements).dropFirst(opening.count))
    }

    private func pipeline(_ statements: [Statement]) throws -> [Rows] {
        let deadline = PostgreSQLConnection.deadline(PostgreSQLConnection.statementLimit)
        guard PQenterPipelineMode(handle) == 1 else { throw lost() }
        let preparations = try statements.map(send)
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        try flush(until: deadline)

        var fault: PostgreSQLFault?
        var answers: [Rows] = []
        for (statement, isPrepared) in zip(statements, preparations) {
            if isPrepared, try answer(&fault, until: deadline) == nil { prepared[statement.sql] = nil }
            if let rows = try answer(&fault, until: deadline) { answers.append(rows) }
        }
        guard let end = try nextResult(until: deadline) else { throw fault ?? lost() }
        defer { PQclear(end) }
        guard PQresultStatus(end) == PGRES_PIPELINE_SYNC, PQexitPipelineMode(handle) == 1 else {
            throw fault ?? lost()
        }
        if let fault { throw fault }
        return answers
    }

    /// - Returns: whether the statement was prepared first, which has an answer of its own.
    private func send(_ statement: Statement) throws -> Bool {
        guard !isPooled else {
            let sent = statement.parameters.withPointers { values, lengths, formats in
                PQsendQueryParams(
                    handle, statement.sql, Int32(statement.parameters.count), nil, values, lengths, formats, 0)
            }
            guard sent == 1 else { throw lost() }
            return false
        }
        var isNew = false
        let name: String
        if let known = prepared[statement.sql] {
            name = known
        } else {
            preparedCount += 1
            name = "farm_\(preparedCount)"
            guard PQsendPrepare(handle, name, statement.sql, 0, nil) == 1 else { throw lost() }
            prepared[statement.sql] = name
            isNew = true
        }
        let sent = statement.parameters.withPointers { values, lengths, formats in
            PQsendQueryPrepared(handle, name, Int32(statement.parameters.count), values, lengths, formats, 0)
        }
        guard sent == 1 else { throw lost() }
        return isNew
    }

    /// The answer to the next command in the pipeline. nil if it failed or was not run.
    private func answer(_ fault: inout PostgreSQLFault?, until deadline: ContinuousClock.Instant?) throws -> Rows? {
        guard let result = try nextResult(until: deadline) else { throw fault ?? lost() }
        let rows = Rows(result)
        let status = PQresultStatus(result)
        if status == PGRES_FATAL_ERROR {
            fault = fault ?? PostgreSQLFault(result: result)
            guard PQstatus(handle) == CONNECTION_OK else { throw fault ?? lost() }
        }
        while let rest = try nextResult(until: deadline) { PQclear(rest) }
        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? rows : nil
    }

    // MARK: Transactions

    /// What a transaction sees.
    enum Isolation: String {
        /// Every statement sees what is committed when it begins: after a lock, what the last holder wrote.
        case current = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        /// All statements see the same, and nothing can be written.
        case snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    }

    /// One transaction in one round trip.
    func transaction(_ isolation: Isolation, _ statements: [Statement]) throws -> [Rows] {
        try rollingBack {
            try run(statements + [Statement("COMMIT")], beginning: isolation).dropLast()
        }
    }

    /// One transaction in two round trips: the second depends on what the first one read.
    func transaction<Value>(
        _ isolation: Isolation, _ statements: [Statement], then next: ([Rows]) throws -> (Value, [Statement])
    ) throws -> Value {
        try rollingBack {
            let (value, writes) = try next(try run(statements, beginning: isolation))
            _ = try run(writes + [Statement("COMMIT")])
            return value
        }
    }

    /// One transaction in two round trips, which is rolled back at the end. Deferred constraints are checked too.
    /// - Returns: the answers to the statements of the second half.
    func trial(_ statements: [Statement], then next: ([Rows]) throws -> [Statement]) throws -> [Rows] {
        try rollingBack {
            let read = try run(statements, beginning: .current)
            let ending = [Statement("SET CONSTRAINTS ALL IMMEDIATE"), Statement("ROLLBACK")]
            return Array(try run(try next(read) + ending).dropLast(ending.count))
        }
    }

    func rollingBack<Value>(_ work: () throws -> Value) throws -> Value {
        do { return try work() } catch {
            // A connection that cannot even do this is not idle, and is thrown away by its session.
            if PQpipelineStatus(handle) == PQ_PIPELINE_OFF, PQtransactionStatus(handle) != PQTRANS_IDLE {
                _ = try? execute("ROLLBACK")
            }
            throw error
        }
    }
}
