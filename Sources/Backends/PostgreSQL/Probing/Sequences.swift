import Pipeline

/// The sequences that number farm's rows.
enum Sequences {
    /// All tables that farm writes, as a list of SQL texts.
    static let tables = (SharedTable.all.map(\.name) + OwnTables.names).map { "'\($0)'" }.joined(separator: ", ")

    /// A query named `feeding`: for each column whose default or identity uses a sequence, which one.
    static let feeding = """
        named AS (
            SELECT t.name, c.oid FROM unnest(ARRAY[\(tables)]) AS t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)),
        feeding AS (
            SELECT n.oid AS relation, n.name, d.refobjsubid AS attribute, d.objid AS sequence, true AS is_identity
            FROM named n JOIN pg_depend d ON d.refobjid = n.oid AND d.refclassid = 'pg_class'::regclass
                AND d.classid = 'pg_class'::regclass AND d.deptype = 'i' AND d.refobjsubid > 0
            JOIN pg_sequence q ON q.seqrelid = d.objid
            UNION
            SELECT n.oid, n.name, a.adnum, d.refobjid, false
            FROM named n JOIN pg_attrdef a ON a.adrelid = n.oid
            JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid AND d.refclassid = 'pg_class'::regclass
            JOIN pg_sequence q ON q.seqrelid = d.refobjid WHERE d.refobjid <> n.oid)
        """

    /// How full each sequence is, by its own end or by that of its column's type, whichever comes first.
    static func findings(_ connection: PostgreSQLConnection) throws -> [CheckFinding] {
        let rows = try connection.execute(
            """
            WITH \(feeding), ends AS (
                SELECT f.*, c.attname, c.atttypid, q.seqmin, q.seqmax,
                    CASE c.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE q.seqmax END
                        AS column_end,
                    CASE WHEN s.relkind <> 'S' THEN NULL WHEN has_sequence_privilege(s.oid, 'USAGE, SELECT')
                        THEN pg_sequence_last_value(s.oid) END AS used
                FROM feeding f JOIN pg_attribute c ON c.attrelid = f.relation AND c.attnum = f.attribute
                JOIN pg_sequence q ON q.seqrelid = f.sequence JOIN pg_class s ON s.oid = f.sequence WHERE q.seqincrement > 0)
            SELECT name, attname, sequence::regclass::text, used - seqmin + 1, least(seqmax, column_end) - seqmin + 1,
                seqmax <= column_end AND atttypid = 'int8'::regtype
            FROM ends WHERE used IS NOT NULL ORDER BY name, attname
            """)
        return rows?.map { row in
            guard let table = row.text(0), let column = row.text(1), let used = row.real(3), let last = row.real(4)
            else {
                return nil
            }
            let sequence = row.text(2) ?? ""
            let widening = row.flag(5) ? "" : "ALTER TABLE \(table) ALTER \(column) TYPE BIGINT; "
            return CheckFinding.fill(
                of: "\(table).\(column)", used, of: last,
                mending: widening + "ALTER SEQUENCE \(sequence) AS BIGINT NO MAXVALUE",
                at: connection.server.place)
        }.compactMap { $0 } ?? []
    }
}
