import Model
import Pipeline

extension PostgreSQLStore: ResultForgetting {
    /// Tables that refer to others come first, since a program that created the tables may have declared keys.
    static let findings = ["postprocessing", "consensus", "merged_boxes", "results"]

    /// How many rows `forget` would delete.
    public func holdings(of images: [ImageID]) async throws -> Totals {
        let ids = Locks.order(images)
        let counts = PostgreSQLStore.findings.map {
            Statement("SELECT image_id FROM \($0) WHERE image_id = ANY($1::bigint[])", .integers(ids))
        }
        return try await primary.run { PostgreSQLStore.totals(try $0.transaction(.snapshot, counts)) }
    }

    /// Deletes the rows of the images.
    public func forget(_ images: [ImageID]) async throws -> Totals {
        let ids = Locks.order(images)
        return try await primary.run { connection in
            let dropping = try PostgreSQLStore.dropping(ids, connection)
            let answers = try connection.transaction(
                .current, [Locks.take(ids)] + dropping + [PostgreSQLStore.unmarkingEmpty(ids)] + IndexTables.losing(ids)
            )
            return PostgreSQLStore.totals(answers.dropFirst())
        }
    }

    /// Deletes the images and their rows.
    public func remove(_ images: [ImageID]) async throws -> Totals {
        let ids = Locks.order(images)
        return try await primary.run { connection in
            let dropping = try PostgreSQLStore.dropping(ids, connection)
            let last = ["farm_stale", "images"].map {
                Statement("DELETE FROM \($0) WHERE image_id = ANY($1::bigint[])", .integers(ids))
            }
            let answers = try connection.transaction(
                .current, [Locks.take(ids)] + dropping + IndexTables.losing(ids) + last)
            var totals = PostgreSQLStore.totals(answers.dropFirst())
            totals.images = answers.last?.changed ?? 0
            return totals
        }
    }

    /// The deletions from `findings`, and then farm's own notes.
    private static func dropping(_ ids: [ImageID], _ connection: PostgreSQLConnection) throws -> [Statement] {
        let dropping = findings.map { table in
            Statement("DELETE FROM \(table) WHERE image_id = ANY($1::bigint[]) RETURNING image_id", .integers(ids))
        }
        let tables = ["farm_missing_enrichments"] + (try superseded(connection))
        let notes = tables.map { Statement("DELETE FROM \($0) WHERE image_id = ANY($1::bigint[])", .integers(ids)) }
        return dropping + notes
    }

    /// The table of the rows that `Takeover` has set aside, if there is one.
    static func superseded(_ connection: PostgreSQLConnection) throws -> [String] {
        let question = Statement("SELECT to_regclass('farm_superseded_postprocessing') IS NOT NULL")
        return try connection.run([question])[0].first?.flag(0) == true ? ["farm_superseded_postprocessing"] : []
    }

    /// The deletions have marked the images. What somebody records meanwhile keeps its mark.
    static func unmarkingEmpty(_ ids: [ImageID]) -> Statement {
        Statement(
            """
            DELETE FROM farm_stale s WHERE image_id = ANY($1::bigint[])
            AND NOT EXISTS (SELECT 1 FROM results WHERE image_id = s.image_id)
            """, .integers(ids))
    }

    /// - Parameter answers: begins with the answers for `findings`, with the image of each row.
    static func totals(_ answers: some Collection<Rows>) -> Totals {
        let rows = answers.prefix(findings.count).map { $0.map { $0.integer(0) ?? 0 } }
        return Totals(
            images: Set(rows.joined()).count, results: rows[3].count, mergedBoxes: rows[2].count,
            consensus: rows[1].count, postprocessing: rows[0].count)
    }
}
