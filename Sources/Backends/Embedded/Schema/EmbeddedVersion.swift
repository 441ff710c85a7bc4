import Foundation
import GRDB
import Pipeline

/// The numbered versions of the schema. `farm_schema` records each in a row.
enum EmbeddedVersion {
    /// The version of this program.
    static let current = 8
    /// The oldest schema version whose program can still use a file of this one. It rises only with a change that does
    /// more than add.
    private static let needs = 1

    /// Whether nothing is left to do.
    /// - Throws: `PortFault` if a newer farm made the file and this one cannot use it.
    static func isCurrent(_ database: Database, place: String) throws -> Bool {
        guard try database.tableExists("farm_schema") else { return false }
        let newest = try database.first("SELECT max(version), max(needs) FROM farm_schema") {
            ($0.integer(0), $0.integer(1))
        }
        guard case (let version?, let needs?)? = newest else { return false }
        guard needs <= current else {
            throw PortFault(
                .unusable, place: place,
                message:
                    "was made by a newer farm (schema \(version), this program knows \(current)): install that version "
                    + "here too, or set FARM_DB to another file")
        }
        return version >= current
    }

    static func record(_ database: Database, at now: Date) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS farm_schema (
                    version INTEGER PRIMARY KEY, needs INTEGER NOT NULL, applied TEXT NOT NULL)
                """)
        try database.run(
            "INSERT INTO farm_schema (version, needs, applied) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [current, needs, StoredTime.text(now)])
    }
}
