import Pipeline

/// What this user may do, and what it lacks, with the SQL that grants it.
enum Rights {
    static func findings(_ link: Link) throws -> [Finding] { try tables(link) + sequences(link) + functions(link) }

    /// Whether this user may make tables, and owns those that are there.
    static func mayChange(_ state: SchemaState, _ link: Link) throws -> Bool {
        let names = state.columns.keys.map { "'\($0)'" }.sorted().joined(separator: ", ")
        let row = try link.execute(
            """
            SELECT has_schema_privilege(current_schema(), 'CREATE'), NOT EXISTS (
                SELECT 1 FROM unnest(ARRAY[\(names)]::text[]) AS t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)
                WHERE NOT pg_has_role(c.relowner, 'USAGE'))
            """)?.first
        return row.map { $0.flag(0) && $0.flag(1) } ?? false
    }

    /// Why the search path leads to no schema.
    static func schema(_ link: Link) throws -> Finding {
        let path = try link.execute("SHOW search_path")?.first?.text(0) ?? ""
        let closed = try link.execute(
            """
            SELECT string_agg(quote_ident(nspname), ', ' ORDER BY nspname) FROM pg_namespace
            WHERE nspname = 'public' AND NOT has_schema_privilege(oid, 'USAGE')
            """)?.first?.text(0)
        let user = link.server.options.user
        guard let closed else {
            return Finding(
                .failed, link.server.place,
                "search_path is \(path), and none of its schemas is there: CREATE SCHEMA, or ALTER ROLE \(user.quotedName) SET "
                    + "search_path")
        }
        return lacks("USAGE", on: "SCHEMA \(closed)", link)
    }

    private static func lacks(_ rights: String, on objects: String, _ link: Link) -> Finding {
        let user = link.server.options.user
        return Finding(
            .failed, link.server.place,
            "\(user) lacks \(rights) on \(objects): GRANT \(rights) ON \(objects) TO \(user.quotedName);")
    }

    private static func tables(_ link: Link) throws -> [Finding] {
        let rows = try link.execute(
            """
            SELECT string_agg(name, ', ' ORDER BY name), rights FROM (
                SELECT t.name, string_agg(r.name, ', ' ORDER BY r.place) AS rights
                FROM unnest(ARRAY[\(Sequences.tables)]) AS t(name)
                CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS r(name, place)
                WHERE to_regclass(t.name) IS NOT NULL AND NOT has_table_privilege(to_regclass(t.name), r.name)
                GROUP BY t.name) lacking
            GROUP BY rights ORDER BY 1
            """)
        return rows?.map { lacks($0.text(1) ?? "", on: $0.text(0) ?? "", link) } ?? []
    }

    /// Of an identity column the server itself takes the next number.
    private static func sequences(_ link: Link) throws -> [Finding] {
        let rows = try link.execute(
            """
            WITH \(Sequences.feeding)
            SELECT string_agg(DISTINCT f.sequence::regclass::text, ', ') FROM feeding f JOIN pg_class s ON s.oid = f.sequence
            WHERE CASE WHEN s.relkind = 'S' AND NOT f.is_identity THEN NOT has_sequence_privilege(s.oid, 'USAGE') ELSE false END
            HAVING count(*) > 0
            """)
        return rows?.map { lacks("USAGE", on: "SEQUENCE " + ($0.text(0) ?? ""), link) } ?? []
    }

    /// Those that everybody may call, until somebody hardens the server.
    private static func functions(_ link: Link) throws -> [Finding] {
        let names = [
            "pg_advisory_xact_lock(integer, integer)", "pg_try_advisory_xact_lock(integer, integer)",
            "set_config(text, text, boolean)",
        ].map { "'\($0)'" }.joined(separator: ", ")
        let rows = try link.execute(
            """
            SELECT string_agg(name, ', ') FROM unnest(ARRAY[\(names)]) AS f(name)
            WHERE NOT has_function_privilege('pg_catalog.' || name, 'EXECUTE') HAVING count(*) > 0
            """)
        return rows?.map { lacks("EXECUTE", on: "FUNCTION " + ($0.text(0) ?? ""), link) } ?? []
    }
}
