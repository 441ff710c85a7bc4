import Model
import Pipeline

extension PostgreSQLStore {
    /// What there is to enrich.
    public func enrichmentWork(of images: [ImageID]) async throws -> [EnrichmentWork] {
        guard !images.isEmpty else { return [] }
        let reading = [
            ImageRows.images(images), ImageRows.boxes(images), ImageRows.enrichments(images, reading: .error),
        ]
        return try await primary.run { connection in
            let answers = try connection.transaction(.snapshot, reading)
            let (known, boxes) = (ImageRows.images(answers[0]), ImageRows.boxes(answers[1]))
            let enrichments = ImageRows.enrichments(answers[2])
            return images.compactMap { id in
                known[id].map { EnrichmentWork(image: $0, boxes: boxes[id] ?? [], present: enrichments[id] ?? []) }
            }
        }
    }

    /// Writes the rows of boxes that still exist, and the pairs that wait for a service.
    ///
    /// Two enrichers may have asked about the same box. An error does not replace the other one's answer. The locks of
    /// the images keep the rows unique, so this works even if the unique index could not be created.
    public func recordEnrichments(
        _ rows: [Enrichment], missing: [MissingEnrichment], of images: [ImageID: [Int]]
    ) async throws {
        for row in rows where !Enrichment.services.contains(row.service) {
            throw PortFault(
                .refused, place: place,
                message: "postprocessing.service: \(ColumnText.cut(row.service, to: ColumnText.name))"
            )
        }
        let ids = Locks.order(Array(images.keys))
        let statements =
            [Locks.take(Locks.order(ids + rows.map(\.imageID) + missing.map(\.imageID)))]
            + PostgreSQLStore.clearing(ids, boxes: images.values.flatMap { $0 })
            + PostgreSQLStore.upserts(PostgreSQLStore.distinct(rows)) + PostgreSQLStore.notes(missing)
        try await primary.run { _ = try $0.transaction(.current, statements) }
    }

    /// Deletes the notes about these boxes, and the notes and rows of boxes that are gone.
    static func clearing(_ ids: [ImageID], boxes: [Int]) -> [Statement] {
        [
            Statement(
                """
                DELETE FROM farm_missing_enrichments m WHERE image_id = ANY($1::bigint[])
                AND (merged_id = ANY($2::bigint[]) OR NOT EXISTS (
                    SELECT 1 FROM merged_boxes b WHERE b.image_id = m.image_id AND b.merged_id = m.merged_id))
                """, .integers(ids), .integers(boxes)),
            Statement(
                """
                DELETE FROM postprocessing p WHERE image_id = ANY($1::bigint[]) AND service IN ('face', 'pose', 'colors')
                AND NOT EXISTS (
                    SELECT 1 FROM merged_boxes b WHERE b.image_id = p.image_id AND b.merged_id = p.merged_box_id)
                """, .integers(ids)),
        ]
    }

    /// One row for each box and service: the last one, but an error only if there is nothing else.
    private static func distinct(_ rows: [Enrichment]) -> [Enrichment] {
        var places: [MissingEnrichment: Int] = [:]
        var distinct: [Enrichment] = []
        for row in rows {
            let key = MissingEnrichment(imageID: row.imageID, mergedID: row.mergedID, service: row.service)
            if let place = places[key] {
                if row.status != .error || distinct[place].status == .error { distinct[place] = row }
            } else {
                places[key] = distinct.count
                distinct.append(row)
            }
        }
        return distinct
    }

    static func upserts(_ rows: [Enrichment]) -> [Statement] {
        guard !rows.isEmpty else { return [] }
        let new = """
            unnest($1::bigint[], $2::bigint[], $3::text[], $4::jsonb[], $5::text[]) \
            AS n(image_id, merged_id, service, data, status)
            """
        return [
            """
            UPDATE postprocessing p SET data = n.data, status = n.status, result_created = now() FROM \(new)
            WHERE p.image_id = n.image_id AND p.merged_box_id = n.merged_id AND p.service = n.service
            AND (n.status <> 'error' OR p.status = 'error')
            """,
            """
            INSERT INTO postprocessing (image_id, merged_box_id, service, data, status)
            SELECT b.image_id, b.merged_id, n.service, n.data, n.status FROM \(new)
            JOIN merged_boxes b ON b.image_id = n.image_id AND b.merged_id = n.merged_id
            WHERE NOT EXISTS (SELECT 1 FROM postprocessing p
                WHERE p.image_id = n.image_id AND p.merged_box_id = n.merged_id AND p.service = n.service)
            ON CONFLICT DO NOTHING
            """,
        ].map {
            Statement(
                $0, .integers(rows.map(\.imageID)), .integers(rows.map(\.mergedID)), .texts(rows.map(\.service)),
                .json(rows.map { StorableJSON.mended($0.data) }), .texts(rows.map(\.status.rawValue)))
        }
    }

    static func notes(_ missing: [MissingEnrichment]) -> [Statement] {
        guard !missing.isEmpty else { return [] }
        let note = Statement(
            """
            INSERT INTO farm_missing_enrichments (image_id, merged_id, service)
            SELECT b.image_id, b.merged_id, n.service
            FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS n(image_id, merged_id, service)
            JOIN merged_boxes b ON b.image_id = n.image_id AND b.merged_id = n.merged_id
            WHERE NOT EXISTS (SELECT 1 FROM postprocessing p
                WHERE p.image_id = n.image_id AND p.merged_box_id = n.merged_id AND p.service = n.service
                AND p.service IN ('face', 'pose', 'colors') AND p.status <> 'error')
            ON CONFLICT DO NOTHING
            """, .integers(missing.map(\.imageID)), .integers(missing.map(\.mergedID)), .texts(missing.map(\.service)))
        return [note]
    }

    /// The services, or other names, that pairs wait for.
    public func servicesOfMissingEnrichments() async throws -> [String] {
        let statement = Statement("SELECT DISTINCT service FROM farm_missing_enrichments")
        return try await primary.run { try $0.run([statement])[0].map { $0.text(0) ?? "" } }
    }

    /// Images that wait for one of these services.
    public func imagesMissingEnrichments(
        of services: [String], after: ImageID, limit: Int
    ) async throws -> [ImageID] {
        let statement = Statement(
            """
            SELECT DISTINCT image_id FROM farm_missing_enrichments
            WHERE service = ANY($1::text[]) AND image_id > $2::bigint ORDER BY image_id LIMIT $3::bigint
            """, .texts(services), .integer(after), .integer(max(0, limit)))
        return try await primary.run { try $0.run([statement])[0].map { $0.integer(0) ?? 0 } }
    }
}
