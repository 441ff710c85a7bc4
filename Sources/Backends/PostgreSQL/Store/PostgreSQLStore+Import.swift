import Foundation
import Model
import Pipeline

extension PostgreSQLStore: ImportRecords {
    /// Remembers refusals.
    public func remember(_ refused: [(place: String, reason: String)]) async throws {
        // If one batch refuses a place twice, the last reason counts.
        let reasons = Dictionary(refused.map { ($0.place, $0.reason) }) { $1 }.sorted { $0.key < $1.key }
        guard !reasons.isEmpty else { return }
        let places = reasons.map(\.key)
        let statements = [
            Locks.imports, PostgreSQLStore.forgetRefusals(of: places),
            Statement(
                """
                INSERT INTO farm_refused (place, reason)
                SELECT place, reason FROM unnest($1::text[], $2::text[]) AS n(place, reason)
                """, .texts(places), .texts(reasons.map(\.value))),
        ]
        try await primary.run { _ = try $0.transaction(.current, statements) }
    }

    static func forgetRefusals(of places: [String]) -> Statement {
        Statement("DELETE FROM farm_refused WHERE place = ANY($1::text[])", .texts(places))
    }

    /// The largest id of a refusal. 0 if there is none.
    public func newestRefusal() async throws -> Int {
        try await primary.run {
            try $0.run([Statement("SELECT max(refused_id) FROM farm_refused")])[0].first?.integer(0) ?? 0
        }
    }

    /// Forgets the refusals of a file, of a list's lines, or of a folder and everything below it.
    public func forgetRefusals(of place: String, upTo last: Int) async throws {
        let statement = Statement(
            """
            DELETE FROM farm_refused WHERE refused_id <= $1::bigint AND (place = $2::text
                OR starts_with(place, $3::text) OR starts_with(place, $2::text || ':'))
            """, .integer(last), .text(place), .text(PathText.join(place, "")))
        try await primary.run { _ = try $0.run([statement]) }
    }

    private static let columns = "refused_id, place, reason, extract(epoch FROM refused_at)"

    private static func refusal(_ row: Row) -> Refusal {
        Refusal(
            id: row.integer(0) ?? 0, place: row.text(1) ?? "", reason: row.text(2) ?? "",
            refused: row.time(3) ?? Date(timeIntervalSince1970: 0))
    }

    /// The next refusals by ascending id.
    public func refusals(after: Int, limit: Int) async throws -> [Refusal] {
        let statement = Statement(
            """
            SELECT \(PostgreSQLStore.columns) FROM farm_refused WHERE refused_id > $1::bigint
            ORDER BY refused_id LIMIT $2::bigint
            """, .integer(after), .integer(max(0, limit)))
        return try await primary.run { try $0.run([statement])[0].map(PostgreSQLStore.refusal) }
    }

    /// The refusal of exactly this place. nil if there is none.
    public func refusal(of place: String) async throws -> Refusal? {
        // PostgreSQL's text cannot hold a NUL.
        guard !place.utf8.contains(0) else { return nil }
        let statement = Statement(
            """
            SELECT \(PostgreSQLStore.columns) FROM farm_refused WHERE place = $1::text ORDER BY refused_id DESC LIMIT 1
            """, .text(place))
        return try await primary.run { try $0.run([statement])[0].first.map(PostgreSQLStore.refusal) }
    }

    // MARK: Another name

    /// Rewrites the paths of a file, or of a folder and everything below it.
    public func movePaths(from old: String, to new: String) async throws -> PathMove {
        let isDeeper = new.hasPrefix(old + "/")
        func lies(below parameter: String) -> String {
            "(i.image_path = \(parameter) OR starts_with(i.image_path, \(parameter) || '/'))"
        }
        let condition =
            "WHERE \(lies(below: "$1::text"))" + (isDeeper ? " AND NOT \(lies(below: "$2::text"))" : "")
        let target = "$2::text || substr(i.image_path, length($1::text) + 1)"
        func ask(_ sql: String) -> Statement { Statement(sql, .text(old), .text(new)) }
        let again = ask(
            "SELECT min(\(target)) FROM images i \(condition) AND starts_with(\(target), $1::text || '/')")
        let taken = ask(
            "SELECT count(*), min(o.image_path) FROM images i JOIN images o ON o.image_path = \(target) \(condition)")
        let rename = Statement(
            """
            UPDATE images SET image_filename = $2::text
            WHERE image_path = $1::text AND image_path <> '' AND image_filename = $3::text
            """, .text(old), .text(ColumnText.cut(PathText.lastComponent(of: new), to: ColumnText.filename)),
            .text(ColumnText.cut(PathText.lastComponent(of: old), to: ColumnText.filename)))
        let move = ask("UPDATE images i SET image_path = \(target) \(condition)")
        return try await primary.run { connection in
            try connection.rollingBack {
                let looks = try connection.run([Locks.imports, again, taken], beginning: .current)
                if !isDeeper, let example = looks[1].first?.text(0) {
                    return try connection.leave(.endless(example: example))
                }
                if let row = looks[2].first, let count = row.integer(0), count > 0 {
                    return try connection.leave(.taken(count, example: row.text(1) ?? ""))
                }
                return .done(try connection.run([rename, move, Statement("COMMIT")])[1].changed)
            }
        }
    }
}

extension PostgreSQLConnection {
    /// Ends a transaction that has changed nothing.
    fileprivate func leave(_ move: PathMove) throws -> PathMove {
        try execute("ROLLBACK")
        return move
    }
}
