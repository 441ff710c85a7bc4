import Pipeline

/// The statements that bring a database up to date, in order. Running them again does nothing more.
struct SchemaPlan {
    struct Step {
        var sql: String
        /// What the step did, for people. nil if it is not worth reporting.
        var told: String?
        /// Whether it has to run outside a transaction, or would hold the locks of the other steps for too long.
        var isAlone = false
        /// Whether another program can make it fail meanwhile. Then it is left for the next time.
        var mayFail = false
        /// The table whose writers wait for it, if any. The step does not wait long for them, but is tried again and
        /// again.
        var holdsUp: String?
    }

    /// Steps that run together.
    enum Part {
        /// A step outside a transaction.
        case alone(Step)
        case together([Step])

        var told: [String] {
            switch self {
            case .alone(let step): [step.told].compactMap { $0 }
            case .together(let steps): steps.compactMap(\.told)
            }
        }
    }

    private(set) var steps: [Step] = []

    /// All steps. Neighbouring steps that may share a transaction are one part.
    var parts: [Part] {
        steps.reduce(into: []) { parts, step in
            if step.isAlone || step.mayFail || step.holdsUp != nil {
                parts.append(.alone(step))
            } else if case .together(let steps)? = parts.last {
                parts[parts.count - 1] = .together(steps + [step])
            } else {
                parts.append(.together([step]))
            }
        }
    }

    /// - Throws: `PortFault` if a table is there that cannot be farm's.
    init(_ state: SchemaState, place: String) throws {
        guard let schema = state.schema else {
            throw PortFault(
                .unusable, place: place,
                message:
                    "search_path leads to no schema that this user may use: CREATE SCHEMA or GRANT USAGE ON SCHEMA, or "
                    + "ALTER ROLE … SET search_path")
        }
        for table in SharedTable.all { try add(table, state, place: place) }
        for table in OwnTables.tables where state.columns[table.name] == nil {
            steps.append(Step(sql: table.sql, told: "table \(table.name) created"))
        }
        for column in OwnTables.columns {
            guard let present = state.columns[column.table], present[column.name] == nil else { continue }
            steps.append(
                Step(
                    sql: "ALTER TABLE \(column.table) ADD COLUMN IF NOT EXISTS \(column.name) \(column.declaration)",
                    told: "column \(column.table).\(column.name) added", holdsUp: column.table))
        }
        // This comes before the triggers, which would count it as a change.
        if state.superseded > 0 {
            steps.append(Step(sql: Takeover.asideTable))
            steps.append(
                Step(
                    sql: Takeover.setAside,
                    told:
                        "\(state.superseded) superseded rows of postprocessing moved to farm_superseded_postprocessing",
                    isAlone: true))
        }
        for function in OwnTables.functions(schema: schema) where !state.functions.contains(function.name) {
            steps.append(Step(sql: function.sql, told: "function \(function.name) created"))
        }
        for trigger in OwnTables.triggers where !state.triggers.contains("\(trigger.table).\(trigger.name)") {
            steps.append(Step(sql: trigger.sql, told: "trigger \(trigger.name) on \(trigger.table) created"))
        }
        if !state.isKnown, state.hasRows.contains("results") {
            steps.append(Step(sql: Takeover.markStale, isAlone: true))
        }
        for triggers in CountTables.triggers
        where !triggers.names.allSatisfy({ state.triggers.contains("\(triggers.table).\($0)") }) {
            steps.append(
                Step(sql: triggers.sql, told: "triggers that count \(triggers.table) created", holdsUp: triggers.table))
        }
        for index in Index.all { add(index, state) }
        // This comes after the triggers: what they have missed is in the tables.
        if !state.isCounted { steps.append(Step(sql: CountTables.recount, told: "rows counted", isAlone: true)) }
        if !state.isCurrent { steps.append(Step(sql: PostgreSQLVersion.record)) }
    }

    private mutating func add(_ table: SharedTable, _ state: SchemaState, place: String) throws {
        guard let present = state.columns[table.name] else {
            steps.append(Step(sql: table.sql, told: "table \(table.name) created"))
            return
        }
        func fault(_ message: String) -> PortFault {
            PortFault(.unusable, place: place, message: "table \(table.name): \(message)")
        }
        if let key = table.columns.first {
            guard let column = present[key.name] else {
                throw fault("has no column \(key.name): rename the table, run `farm init`, and copy its rows over")
            }
            guard column.hasDefault else {
                throw fault(
                    "new rows get no \(key.name): ALTER TABLE \(table.name) ALTER \(key.name) ADD GENERATED BY DEFAULT AS IDENTITY"
                )
            }
        }
        if let column = SchemaPlan.unfillable(table, present).first {
            throw fault(
                "\(column) must be given in every row, but farm does not know it: ALTER TABLE \(table.name) "
                    + "ALTER \(column) DROP NOT NULL, or SET DEFAULT …")
        }
        for column in table.columns {
            if let found = present[column.name] {
                guard column.types.contains(found.type) else {
                    throw fault("\(column.name) is \(found.type), but farm needs \(column.declaration)")
                }
            } else {
                steps.append(
                    Step(
                        sql: "ALTER TABLE \(table.name) ADD COLUMN IF NOT EXISTS \(column.name) \(column.declaration)",
                        told: "column \(table.name).\(column.name) added"))
            }
        }
    }

    /// Columns of another program that farm's rows leave out though they need a value. The import itself reports those
    /// of images.
    private static func unfillable(_ table: SharedTable, _ present: [String: SchemaState.Column]) -> [String] {
        guard table.name != "images" else { return [] }
        let known = Set(table.columns.map(\.name))
        return present.filter { !known.contains($0.key) && $0.value.refusesNull && !$0.value.hasDefault }.keys.sorted()
    }

    private mutating func add(_ index: Index, _ state: SchemaState) {
        let isLive = state.hasRows.contains(index.table)
        switch state.indexes[index.name] {
        case true?: return
        case false?:
            // An earlier build did not finish.
            steps.append(
                Step(sql: "DROP INDEX \(isLive ? "CONCURRENTLY " : "")IF EXISTS \(index.name)", isAlone: isLive))
        case nil: break
        }
        steps.append(
            Step(
                sql: index.sql(isLive: isLive), told: "index \(index.name) created", isAlone: isLive,
                mayFail: index.name == Index.enrichmentKey.name))
    }

    /// The SQL that an administrator runs if this user lacks the rights.
    func script(user: String, schema: String) -> String {
        let tables = (SharedTable.all.map(\.name) + OwnTables.names).joined(separator: ", ")
        let grants = [
            "GRANT USAGE ON SCHEMA \(schema) TO \(user.quotedName)",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON \(tables) TO \(user.quotedName)",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA \(schema) TO \(user.quotedName)",
        ]
        // The administrator may have another search path.
        return (["SET search_path = \(schema)"] + steps.map(\.sql) + grants).map { $0 + ";" }.joined(separator: "\n")
    }
}
