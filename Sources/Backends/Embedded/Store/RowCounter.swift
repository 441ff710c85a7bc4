import Foundation
import GRDB
import Model
import Pipeline

/// Counts of rows, counted one by one or kept by triggers.
enum RowCounter {
    struct Key: Hashable, Sendable {
        var relation: String
        var service = ""
        var passed = true
    }

    /// One more than is counted, to show that there are more.
    static let bound = RowCounts.exactLimit + 1

    // MARK: What the triggers keep

    static func kept(_ database: Database) throws -> [Key: Int] {
        let rows = try database.all("SELECT relation, service, passed, amount FROM farm_counts") { row in
            (
                Key(relation: row.text(0) ?? "", service: row.text(1) ?? "", passed: row.integer(2) != 0),
                row.integer(3) ?? 0
            )
        }
        return Dictionary(rows, uniquingKeysWith: +)
    }

    /// Whether the triggers exist, and the rows that are older than they are were never counted.
    static func isUncounted(_ database: Database) throws -> Bool {
        try !database.exists("SELECT 1 FROM farm_recounts LIMIT 1")
    }

    /// Corrects what the triggers keep. The rows are counted in a snapshot, and only the differences are written.
    /// Triggers count what others write meanwhile, and nobody waits.
    static func recount(_ file: SQLiteFile, at now: Date) async throws {
        let (before, differences) = try await file.read { database in
            let kept = try kept(database)
            let found = try all(database)
            let differences = Set(kept.keys).union(found.keys).map {
                ($0, found[$0, default: 0] - kept[$0, default: 0])
            }
            return (try lastRecount(database), differences.filter { $0.1 != 0 })
        }
        try await file.write { database in
            // Another process may have made the same correction.
            guard try lastRecount(database) == before else { return }
            for (key, difference) in differences {
                try database.run(
                    """
                    INSERT INTO farm_counts (relation, service, passed, amount) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET amount = amount + excluded.amount
                    """, [key.relation, key.service, key.passed, difference])
            }
            try database.run("INSERT INTO farm_recounts (counted) VALUES (?)", [StoredTime.text(now)])
        }
    }

    private static func lastRecount(_ database: Database) throws -> Int? {
        try database.integer("SELECT max(id) FROM farm_recounts")
    }

    private static func all(_ database: Database) throws -> [Key: Int] {
        var counts: [Key: Int] = [:]
        for table in ["images", "merged_boxes", "consensus"] {
            counts[Key(relation: table)] = try database.integer("SELECT count(*) FROM \(table)")
        }
        func add(_ relation: String, _ sql: String) throws {
            let rows = try database.all(sql) { ($0.text(0), $0.integer(1) != 0, $0.integer(2) ?? 0) }
            for (service, passed, count) in rows {
                let isUnnamed = relation == "results" && service == nil
                let key = Key(
                    relation: isUnnamed ? CountTriggers.unnamed : relation, service: service ?? "", passed: passed)
                counts[key, default: 0] += count
            }
        }
        try add("results", "SELECT service, status IS 'success', count(*) FROM results GROUP BY service, status")
        let failed = "SELECT count(*) FROM postprocessing WHERE status = 'error'"
        try add("postprocessing", "SELECT NULL, 0, (\(failed))")
        try add("postprocessing", "SELECT NULL, 1, count(*) - (\(failed)) FROM postprocessing")
        return counts
    }

    // MARK: Counting

    /// - Parameter rows: what follows FROM.
    static func bounded(_ rows: String, _ arguments: StatementArguments, _ database: Database) throws -> Int {
        try database.integer("SELECT count(*) FROM (SELECT 1 FROM \(rows) LIMIT \(bound))", arguments) ?? 0
    }

    /// The values of a column of `results`, ascending. The index leads from one to the next, however many rows there
    /// are.
    static func values(
        of column: String, where condition: String, _ arguments: StatementArguments, _ database: Database
    )
        throws -> [DatabaseValue]
    {
        var values: [DatabaseValue] = []
        func next(_ more: String, _ arguments: StatementArguments) throws -> DatabaseValue? {
            let value = try database.first(
                "SELECT min(\(column)) FROM results WHERE \(condition)\(more)", arguments
            ) { $0[0] as DatabaseValue }
            return value.flatMap { $0.isNull ? nil : $0 }
        }
        var value = try next("", arguments)
        while let known = value {
            values.append(known)
            value = try next(" AND \(column) > ?", arguments + [known])
        }
        return values
    }
}
