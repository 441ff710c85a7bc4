import Foundation
import GRDB
import Pipeline

/// Adds what is missing, in one transaction: to an empty file, to an older farm's, or to one that another program made
/// with the tables of spec section 4. It removes nothing.
enum EmbeddedUpgrade {
    /// - Returns: what was done, one line for each step.
    /// - Throws: `PortFault`, `DatabaseError`.
    static func run(_ database: Database, at now: Date, place: String) throws -> [String] {
        database.clearSchemaCache()
        _ = try EmbeddedVersion.isCurrent(database, place: place)
        var done: [String] = []
        for table in TableDefinition.shared + TableDefinition.own {
            if try database.tableExists(table.name) {
                done += try complete(table, database, place: place)
            } else {
                try database.execute(sql: table.sql)
                done.append("table \(table.name) created")
            }
        }
        let before = try names(database)
        for statement in Indexes.all { try database.execute(sql: statement) }
        done += try Takeover.run(database)
        for statement in [Indexes.enrichmentKey] + Triggers.all { try database.execute(sql: statement) }
        done += try names(database).filter { !before.contains($0) }.map { "\($0) created" }.sorted()
        try EmbeddedVersion.record(database, at: now)
        return done
    }

    private static func complete(_ table: TableDefinition, _ database: Database, place: String) throws -> [String] {
        let columns = try database.columns(in: table.name)
        let keys = columns.filter { $0.primaryKeyIndex > 0 }
        if let key = table.columns.first, !table.isWithoutRowID {
            guard keys.count == 1, keys[0].name.lowercased() == key.name, keys[0].type.uppercased() == "INTEGER" else {
                throw PortFault(
                    .unusable, place: place,
                    message:
                        "in the table \(table.name), \(key.name) is not INTEGER PRIMARY KEY, so SQLite gives new rows no id: "
                        + "rename the table, run `farm init`, and copy its rows over")
            }
        }
        let present = Set(columns.map { $0.name.lowercased() })
        var done: [String] = []
        for column in table.columns where !present.contains(column.name) {
            try database.execute(
                sql: "ALTER TABLE \(table.name) ADD COLUMN \(column.name) \(addable(column.declaration))")
            done.append("column \(table.name).\(column.name) added")
        }
        return done
    }

    /// The declaration without a computed default, which SQLite refuses in an added column. Farm writes those values
    /// itself.
    private static func addable(_ declaration: String) -> String {
        declaration.range(of: " DEFAULT (").map { String(declaration[..<$0.lowerBound]) } ?? declaration
    }

    private static func names(_ database: Database) throws -> Set<String> {
        Set(
            try database.all("SELECT type || ' ' || name FROM sqlite_master WHERE type IN ('index', 'trigger')") {
                $0.text(0) ?? ""
            })
    }
}
