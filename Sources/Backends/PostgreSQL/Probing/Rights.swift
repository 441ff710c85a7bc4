import Pipeline

/// The rights of this user, and those that are missing, with the SQL that grants them.
enum Rights {
    static func findings(_ connection: PostgreSQLConnection) throws -> [CheckFinding] {
        try tables(connection) + sequences(connection) + functions(connection)
    }

    /// Whether this user may create tables, and owns the existing ones.
    static func mayChange(_ state: SchemaState, _ connection: PostgreSQLConnection) throws -> Bool {
        let names = state.columns.keys.map { "'\($0)'" }.sorted().joined(separator: ", ")
        let row = try connection.execute(
            """
            SELECT has_schema_privilege(current_schema(), 'CREATE'), NOT EXISTS (
                SELECT 1 FROM unnest(ARRAY[\(names)]::text[]) AS t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)
                WHERE NOT pg_has_role(c.relowner, 'USAGE'))
            """)?.first
        return row.map { $0.flag(0) && $0.flag(1) } ?? false
    }

    /// Why the search path leads to no schema.
    static func schema(_ connection: PostgreSQLConnection) throws -> CheckFinding {
        let path = try connection.execute("SHOW search_path")?.first?.text(0) ?? ""
        let closed = try connection.execute(
            """
            SELECT string_agg(quote_ident(nspname), ', ' ORDER BY nspname) FROM pg_namespace
            WHERE nspname = 'public' AND NOT has_schema_privilege(oid, 'USAGE')
            """)?.first?.text(0)
        let user = connection.server.options.user
        guard let closed else {
            return CheckFinding(
                .failed, connection.server.place,
                "search_path is \(path), and none of its schemas is there: CREATE SCHEMA, or ALTER ROLE \(user.quotedName) SET "
                    + "search_path")
        }
        return lacks("USAGE", on: "SCHEMA \(closed)", connection)
    }

    private static func lacks(_ rights: String, on objects: String, _ connection: PostgreSQLConnection) -> CheckFinding
    {
        let user = connection.server.options.user
        return CheckFinding(
            .failed, connection.server.place,
            "\(user) lacks \(rights) on \(objects): GRANT \(rights) ON \(objects) TO \(user.quotedName);")
    }

    private static func tables(_ connection: PostgreSQLConnection) throws -> [CheckFinding] {
        let rows = try connection.execute(
            """
            SELECT string_agg(name, ', ' ORDER BY name), rights FROM (
                SELECT t.name, string_agg(r.name, ', ' ORDER BY r.place) AS rights
                FROM unnest(ARRAY[\(Sequences.tables)]) AS t(name)
                CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS r(name, place)
                WHERE to_regclass(t.name) IS NOT NULL AND NOT has_table_privilege(to_regclass(t.name), r.name)
                GROUP BY t.name) lacking
            GROUP BY rights ORDER BY 1
            """)
        return rows?.map { lacks($0.text(1) ?? "", on: $0.text(0) ?? "", connection) } ?? []
    }

    /// For an identity column, the server itself takes the next number.
    private static func sequences(_ connection: PostgreSQLConnection) throws -> [CheckFinding] {
        let rows = try connection.execute(
            """
            WITH \(Sequences.feeding)
            SELECT string_agg(DISTINCT f.sequence::regclass::text, ', ') FROM feeding f JOIN pg_class s ON s.oid = f.sequence
            WHERE CASE WHEN s.relkind = 'S' AND NOT f.is_identity THEN NOT has_sequence_privilege(s.oid, 'USAGE') ELSE false END
            HAVING count(*) > 0
            """)
        return rows?.map { lacks("USAGE", on: "SEQUENCE " + ($0.text(0) ?? ""), connection) } ?? []
    }

    /// Functions that everybody may call, unless somebody has hardened the server.
    private static func functions(_ connection: PostgreSQLConnection) throws -> [CheckFinding] {
        let names = [
            "pg_advisory_xact_lock(integer, integer)", "pg_try_advisory_xact_lock(integer, integer)",
            "set_config(text, text, boolean)",
        ].map { "'\($0)'" }.joined(separator: ", ")
        let rows = try connection.execute(
            """
            SELECT string_agg(name, ', ') FROM unnest(ARRAY[\(names)]) AS f(name)
            WHERE NOT has_function_privilege('pg_catalog.' || name, 'EXECUTE') HAVING count(*) > 0
            """)
        return rows?.map { lacks("EXECUTE", on: "FUNCTION " + ($0.text(0) ?? ""), connection) } ?? []
    }
}
