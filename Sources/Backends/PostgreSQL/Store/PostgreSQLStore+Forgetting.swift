import Model
import Pipeline

extension PostgreSQLStore: ResultForgetting {
    /// What rests on another one first: a program that made the tables may have declared keys.
    private static let tables = ["postprocessing", "consensus", "merged_boxes", "results"]

    /// How many rows `forget` would drop.
    public func holdings(of images: [ImageID]) async throws -> Totals {
        let ids = Locks.order(images)
        let counts = PostgreSQLStore.tables.map {
            Statement("SELECT image_id FROM \($0) WHERE image_id = ANY($1::bigint[])", .integers(ids))
        }
        return try await primary.run { link in
            PostgreSQLStore.totals(try link.transaction(.snapshot, counts).map { $0.map { $0.integer(0) ?? 0 } })
        }
    }

    /// Drops the images' rows.
    public func forget(_ images: [ImageID]) async throws -> Totals {
        let ids = Locks.order(images)
        let dropping = PostgreSQLStore.tables.map { table in
            Statement("DELETE FROM \(table) WHERE image_id = ANY($1::bigint[]) RETURNING image_id", .integers(ids))
        }
        return try await primary.run { link in
            let aside = Statement("SELECT to_regclass('farm_superseded_postprocessing') IS NOT NULL")
            let hasAside = try link.run([aside])[0].first?.flag(0) ?? false
            let notes = (["farm_missing_enrichments"] + (hasAside ? ["farm_superseded_postprocessing"] : [])).map {
                Statement("DELETE FROM \($0) WHERE image_id = ANY($1::bigint[])", .integers(ids))
            }
            // The deletions have marked the images; what somebody records meanwhile keeps its mark.
            let unmark = Statement(
                """
                DELETE FROM farm_stale s WHERE image_id = ANY($1::bigint[])
                AND NOT EXISTS (SELECT 1 FROM results WHERE image_id = s.image_id)
                """, .integers(ids))
            let answers = try link.transaction(
                .current, [Locks.take(ids)] + dropping + notes + [unmark])
            return PostgreSQLStore.totals(
                answers.dropFirst().prefix(dropping.count).map { $0.map { $0.integer(0) ?? 0 } })
        }
    }

    /// - Parameter rows: of each of `tables`, the image of each row.
    private static func totals(_ rows: [[ImageID]]) -> Totals {
        Totals(
            images: Set(rows.joined()).count, results: rows[3].count, mergedBoxes: rows[2].count,
            consensus: rows[1].count, postprocessing: rows[0].count)
    }
}
