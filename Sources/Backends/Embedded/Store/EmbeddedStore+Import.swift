import GRDB
import Model
import Pipeline

extension EmbeddedStore: ImportRecords {
    /// Remembers refusals.
    public func remember(_ refused: [(place: String, reason: String)]) async throws {
        guard !refused.isEmpty else { return }
        let now = now
        try await file.write { database in
            for (place, reason) in refused {
                try EmbeddedStore.forgetRefusal(of: place, database)
                try database.run(
                    "INSERT INTO farm_refused (place, reason, refused_at) VALUES (?, ?, ?)", [place, reason, now])
            }
        }
    }

    static func forgetRefusal(of place: String, _ database: Database) throws {
        try database.run("DELETE FROM farm_refused WHERE place = ?", [place])
    }

    /// The largest id of a refusal. 0 if there is none.
    public func newestRefusal() async throws -> Int {
        try await file.read { try $0.integer("SELECT max(refused_id) FROM farm_refused") ?? 0 }
    }

    /// Forgets the refusals of a file, of a list's lines, or of a folder and everything below it.
    public func forgetRefusals(of place: String, upTo last: Int) async throws {
        _ = try await file.write { database in
            try database.run(
                """
                DELETE FROM farm_refused WHERE refused_id <= ?1
                AND (place = ?2 OR substr(place, 1, length(?3)) = ?3 OR substr(place, 1, length(?4)) = ?4)
                """, [last, place, PathText.join(place, ""), place + ":"])
        }
    }

    private static let columns = "refused_id, place, reason, refused_at"

    private static func refusal(_ row: Row) -> Refusal {
        Refusal(
            id: row.integer(0) ?? 0, place: row.text(1) ?? "", reason: row.text(2) ?? "",
            refused: row.time(3) ?? .init(timeIntervalSince1970: 0))
    }

    /// The next refusals by ascending id.
    public func refusals(after: Int, limit: Int) async throws -> [Refusal] {
        try await file.read { database in
            try database.all(
                """
                SELECT \(EmbeddedStore.columns) FROM farm_refused WHERE refused_id > ? ORDER BY refused_id LIMIT ?
                """, [after, max(0, limit)], EmbeddedStore.refusal)
        }
    }

    /// The refusal of exactly this place. nil if there is none.
    public func refusal(of place: String) async throws -> Refusal? {
        try await file.read { database in
            try database.first(
                "SELECT \(EmbeddedStore.columns) FROM farm_refused WHERE place = ? ORDER BY refused_id DESC LIMIT 1",
                [place], EmbeddedStore.refusal)
        }
    }

    /// Rewrites the paths of a file, or of a folder and everything below it.
    public func movePaths(from old: String, to new: String) async throws -> PathMove {
        try await file.write { database in
            // Paths that begin with `old/` are between it and `old0`, which has the next character.
            let below = old + "/"
            var condition = "(i.image_path = ?1 OR i.image_path > ?3 AND i.image_path < ?1 || '0')"
            let isDeeper = new.hasPrefix(below)
            if isDeeper {
                condition += " AND i.image_path <> ?2 AND NOT (i.image_path > ?2 || '/' AND i.image_path < ?2 || '0')"
            }
            let arguments: StatementArguments = [old, new, below]
            let target = "?2 || substr(i.image_path, length(?1) + 1)"
            if !isDeeper {
                let again = try database.first(
                    "SELECT \(target) FROM images i WHERE \(condition) AND substr(\(target), 1, length(?3)) = ?3 LIMIT 1",
                    arguments
                ) { $0.text(0) ?? "" }
                if let again { return .endless(example: again) }
            }
            let taken = try database.first(
                """
                SELECT count(*), min(o.image_path) FROM images i JOIN images o ON o.image_path = \(target)
                WHERE \(condition)
                """, arguments
            ) { ($0.integer(0) ?? 0, $0.text(1) ?? "") }
            if let (count, example) = taken, count > 0 { return .taken(count, example: example) }
            try EmbeddedStore.rename(old, new, database)
            let moved = try database.run("UPDATE images AS i SET image_path = \(target) WHERE \(condition)", arguments)
            return .done(moved)
        }
    }

    /// Renames a file whose own name has changed.
    private static func rename(_ old: String, _ new: String, _ database: Database) throws {
        try database.run(
            "UPDATE images SET image_filename = ? WHERE image_path = ? AND image_filename = ?",
            [
                ColumnText.cut(PathText.lastComponent(of: new), to: ColumnText.filename), old,
                ColumnText.cut(PathText.lastComponent(of: old), to: ColumnText.filename),
            ])
    }
}
