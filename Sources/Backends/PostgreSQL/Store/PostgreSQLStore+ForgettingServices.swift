import Model
import Pipeline

extension PostgreSQLStore {
    /// How many rows `forget(_:services:)` would delete.
    public func holdings(of images: [ImageID], services: [String]) async throws -> Totals {
        let ids = Locks.order(images)
        let counts = PostgreSQLStore.findings.map { table in
            Statement(
                "SELECT image_id FROM \(table) t WHERE image_id = ANY($1::bigint[]) AND \(Said.condition(table))",
                .integers(ids), .texts(services))
        }
        return try await primary.run { PostgreSQLStore.totals(try $0.transaction(.snapshot, counts)) }
    }

    /// Deletes what these services found in the images.
    public func forget(_ images: [ImageID], services: [String]) async throws -> (dropped: Totals, changed: [ImageID]) {
        let ids = Locks.order(images)
        @Sendable func statement(_ sql: String) -> Statement { Statement(sql, .integers(ids), .texts(services)) }
        @Sendable func drop(_ table: String, _ condition: String) -> Statement {
            statement("DELETE FROM \(table) t WHERE image_id = ANY($1::bigint[]) AND \(condition) RETURNING image_id")
        }
        return try await primary.run { connection in
            // Rows whose condition looks at other rows are deleted before those.
            let notes =
                [drop("farm_missing_enrichments", Said.note)]
                + (try PostgreSQLStore.superseded(connection)).map { drop($0, Said.service) }
            let consensus = drop("consensus", Said.consensus)
            let others = ["postprocessing", "merged_boxes", "results"].map { drop($0, Said.condition($0)) }
            let changed = statement(
                """
                SELECT t.image_id FROM unnest($1::bigint[]) AS t(image_id)
                WHERE EXISTS (SELECT 1 FROM results r WHERE r.image_id = t.image_id)
                AND (EXISTS (SELECT 1 FROM farm_stale s WHERE s.image_id = t.image_id)
                    OR EXISTS (SELECT 1 FROM merged_boxes b WHERE b.image_id = t.image_id AND \(Said.boxInPart("b"))))
                ORDER BY t.image_id
                """)
            let answers = try connection.transaction(
                .current,
                [Locks.take(ids)] + notes + [consensus] + others + [PostgreSQLStore.unmarkingEmpty(ids)]
                    + IndexTables.losing(ids) + [changed])
            let rows = answers.dropFirst(1 + notes.count)
            // In the order of `findings`.
            let totals = PostgreSQLStore.totals([rows[rows.startIndex + 1], rows[rows.startIndex]] + rows.dropFirst(2))
            return (totals, answers[answers.count - 1].map { $0.integer(0) ?? 0 })
        }
    }
}

/// Which rows `t` of the images $1 are based on the services $2.
private enum Said {
    static let service = "t.service = ANY($2::text[])"

    static func condition(_ table: String) -> String {
        switch table {
        case "postprocessing": enrichment("t")
        case "consensus": consensus
        case "merged_boxes": box("t")
        default: service
        }
    }

    /// These services saw the box, perhaps with others.
    static func boxInPart(_ row: String) -> String { "\(row).merged_data -> 'contributing_services' ?| $2::text[]" }

    /// Only these services saw the box.
    private static func box(_ row: String) -> String {
        "(\(boxInPart(row)) AND \(row).merged_data -> 'contributing_services' <@ to_jsonb($2::text[]))"
    }

    private static func isOfBox(_ row: String, _ column: String) -> String {
        """
        EXISTS (SELECT 1 FROM merged_boxes b WHERE b.image_id = \(row).image_id AND b.merged_id = \(row).\(column)
            AND \(box("b")))
        """
    }

    private static func enrichment(_ row: String) -> String {
        "(\(row).service = ANY($2::text[]) OR \(isOfBox(row, "merged_box_id")))"
    }

    static let note = "(\(service) OR \(isOfBox("t", "merged_id")))"

    /// They contributed to it, or their rows are newer than it is.
    static let consensus = """
        (t.consensus_data -> 'services_list' ?| $2::text[] OR t.consensus_data -> 'services_failed' ?| $2::text[]
            OR EXISTS (SELECT 1 FROM results r WHERE r.image_id = t.image_id AND r.service = ANY($2::text[]))
            OR EXISTS (SELECT 1 FROM postprocessing p WHERE p.image_id = t.image_id AND \(enrichment("p"))))
        """
}
