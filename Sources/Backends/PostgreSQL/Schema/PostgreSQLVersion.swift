import Pipeline

/// The numbered versions of the schema. `farm_schema` records each in a row. A new version only adds.
enum PostgreSQLVersion {
    /// The version of this program.
    static let current = 6
    /// The oldest schema version whose program can still use a database of this one. It rises only with a change that
    /// does more than add.
    private static let needs = 1

    static let record = """
        INSERT INTO farm_schema (version, needs) VALUES (\(current), \(needs)) ON CONFLICT DO NOTHING
        """

    /// Whether nothing is left to do.
    /// - Throws: as `recorded` does.
    static func isCurrent(_ connection: PostgreSQLConnection) throws -> Bool {
        try recorded(connection).map { $0 >= current } ?? false
    }

    /// The version to which the tables were brought last. nil if farm has never upgraded them.
    /// - Throws: `PostgreSQLFault`; `PortFault` if a newer farm made the tables and this one cannot use them.
    static func recorded(_ connection: PostgreSQLConnection) throws -> Int? {
        guard
            try connection.execute(
                """
                SELECT to_regclass('farm_schema') IS NOT NULL AND has_table_privilege(to_regclass('farm_schema'), 'SELECT')
                """)?.first?.flag(0) ?? false,
            let row = try connection.execute("SELECT max(version), max(needs) FROM farm_schema")?.first,
            let version = row.integer(0), let needs = row.integer(1)
        else { return nil }
        guard needs <= current else {
            throw PortFault(
                .unusable, place: connection.server.place,
                message:
                    "its tables were made by a newer farm (schema \(version), this program knows \(current)): "
                    + "install that version here too")
        }
        return version
    }
}
