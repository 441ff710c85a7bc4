/// What a database has of what farm needs.
struct SchemaState {
    struct Column {
        /// The name in pg_type, without a length: `varchar`, `int4`; for an array with `_` before it.
        var type: String
        /// Whether the column gets a value when none is given.
        var hasDefault: Bool
        var refusesNull: Bool
    }

    /// The schema for new tables, quoted. nil if the search path leads nowhere.
    var schema: String?
    /// The columns of the tables that are there.
    var columns: [String: [String: Column]] = [:]
    /// The tables that have rows. Parents of partitions are left out.
    var hasRows: Set<String> = []
    /// For each index by name, whether it can be used. A build that did not finish leaves one that cannot.
    var indexes: [String: Bool] = [:]
    /// The triggers, as `table.name`.
    var triggers: Set<String> = []
    var functions: Set<String> = []
    /// How many rows of `postprocessing` have been replaced by a newer one of the same box and service.
    var superseded = 0
    var isCurrent = false
    /// Whether the rows have been counted since the counting triggers were added.
    var isCounted = false
    /// Whether farm, perhaps an older one, has upgraded these tables before.
    var isKnown = false

    /// - Throws: `PostgreSQLFault`, `PortFault`.
    init(_ connection: PostgreSQLConnection) throws {
        let version = try PostgreSQLVersion.recorded(connection)
        isKnown = version != nil
        isCurrent = version.map { $0 >= PostgreSQLVersion.current } ?? false
        schema = try connection.execute("SELECT quote_ident(current_schema())")?.first?.text(0)
        let names = SharedTable.all.map(\.name) + OwnTables.names
        let list = names.map { "'\($0)'" }.joined(separator: ", ")
        let tables = "unnest(ARRAY[\(list)]) AS t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)"
        var plain: [String] = []
        var unreadable: Set<String> = []
        for row in try all(
            """
            SELECT t.name, a.attname, CASE WHEN y.typnamespace = 'pg_catalog'::regnamespace THEN y.typname
                    ELSE y.typnamespace::regnamespace::text || '.' || y.typname END,
                a.atthasdef OR a.attidentity <> '', c.relkind = 'r', a.attnotnull, has_table_privilege(c.oid, 'SELECT')
            FROM \(tables) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            JOIN pg_type y ON y.oid = a.atttypid
            """, connection)
        {
            guard let table = row.text(0), let name = row.text(1), let type = row.text(2) else { continue }
            columns[table, default: [:]][name] = Column(
                type: type, hasDefault: row.flag(3), refusesNull: row.flag(5))
            if row.flag(4), !plain.contains(table) { plain.append(table) }
            if !row.flag(6) { unreadable.insert(table) }
        }
        for row in try all(
            "SELECT i.relname, x.indisvalid FROM \(tables) JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid",
            connection)
        {
            if let name = row.text(0) { indexes[name] = row.flag(1) }
        }
        triggers = Set(
            try all(
                "SELECT t.name || '.' || g.tgname FROM \(tables) JOIN pg_trigger g ON g.tgrelid = c.oid", connection
            )
            .compactMap { $0.text(0) })
        functions = Set(
            try all(
                """
                SELECT f.name FROM unnest(ARRAY[\(OwnTables.functions(schema: "").map { "'\($0.name)'" }.joined(separator: ", "))]) AS f(name)
                WHERE to_regproc(f.name) IS NOT NULL
                """, connection
            ).compactMap { $0.text(0) })
        // If this user may not read it, another user has made and filled it.
        isCounted =
            try columns["farm_recounts"] != nil
            && (unreadable.contains("farm_recounts") || !all("SELECT 1 FROM farm_recounts LIMIT 1", connection).isEmpty)
        // A table that this user may not read counts as in use.
        for table in plain
        where try unreadable.contains(table) || all("SELECT 1 FROM \(table) LIMIT 1", connection).first != nil {
            hasRows.insert(table)
        }
        if hasRows.contains("postprocessing"), !unreadable.contains("postprocessing"),
            indexes[Index.enrichmentKey.name] != true
        {
            superseded = try all("SELECT count(*) FROM (\(Takeover.superseded)) s", connection).first?.integer(0) ?? 0
        }
    }

    private func all(_ sql: String, _ connection: PostgreSQLConnection) throws -> [Row] {
        guard let rows = try connection.execute(sql, within: nil) else { return [] }
        return rows.map { $0 }
    }
}
