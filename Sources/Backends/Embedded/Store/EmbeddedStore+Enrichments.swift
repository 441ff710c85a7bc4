import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// What there is to enrich.
    public func enrichmentWork(of images: [ImageID]) async throws -> [EnrichmentWork] {
        guard !images.isEmpty else { return [] }
        return try await file.write { database in
            let rows = ImageRows(database)
            return try images.compactMap { id in
                guard let image = try rows.image(id) else { return nil }
                return EnrichmentWork(
                    image: image, boxes: try rows.boxes(id),
                    present: try rows.enrichments(id, reading: .member("error")))
            }
        }
    }

    /// Writes the rows of boxes that still exist, and the pairs that wait for a service.
    ///
    /// Two enrichers may have asked about the same box. An error does not replace the other one's answer.
    public func recordEnrichments(
        _ rows: [Enrichment], missing: [MissingEnrichment], of images: [ImageID: [Int]]
    ) async throws {
        for row in rows where !Enrichment.services.contains(row.service) {
            throw PortFault(
                .refused, place: file.place,
                message: "postprocessing.service: \(ColumnText.cut(row.service, to: ColumnText.name))")
        }
        let now = now
        try await file.write { database in
            for (image, boxes) in images {
                for box in boxes {
                    try database.run(
                        "DELETE FROM farm_missing_enrichments WHERE image_id = ? AND merged_id = ?", [image, box])
                }
                try database.run(
                    """
                    DELETE FROM farm_missing_enrichments WHERE image_id = ?1
                    AND merged_id NOT IN (SELECT merged_id FROM merged_boxes WHERE image_id = ?1)
                    """, [image])
                try database.run(
                    """
                    DELETE FROM postprocessing WHERE image_id = ?1 AND service IN ('face', 'pose', 'colors')
                    AND merged_box_id NOT IN (SELECT merged_id FROM merged_boxes WHERE image_id = ?1)
                    """, [image])
            }
            for row in rows { try EmbeddedStore.upsert(row, now, database) }
            for pair in missing { try EmbeddedStore.note(pair, database) }
        }
    }

    static func upsert(_ row: Enrichment, _ now: String, _ database: Database) throws {
        try database.run(
            """
            INSERT INTO postprocessing (image_id, merged_box_id, service, data, status, result_created)
            SELECT image_id, merged_id, ?, ?, ?, ? FROM merged_boxes WHERE merged_id = ? AND image_id = ?
            ON CONFLICT (image_id, merged_box_id, service) WHERE service IN ('face', 'pose', 'colors')
            DO UPDATE SET data = excluded.data, status = excluded.status, result_created = excluded.result_created
            WHERE excluded.status <> 'error' OR status = 'error'
            """, [row.service, row.data.text, row.status.rawValue, now, row.mergedID, row.imageID])
    }

    static func note(_ pair: MissingEnrichment, _ database: Database) throws {
        try database.run(
            """
            INSERT INTO farm_missing_enrichments (image_id, merged_id, service)
            SELECT image_id, merged_id, ?1 FROM merged_boxes WHERE merged_id = ?2 AND image_id = ?3 AND NOT EXISTS (
                SELECT 1 FROM postprocessing
                WHERE image_id = ?3 AND merged_box_id = ?2 AND service = ?1 AND service IN ('face', 'pose', 'colors')
                AND status <> 'error')
            ON CONFLICT DO NOTHING
            """, [pair.service, pair.mergedID, pair.imageID])
    }

    /// The services, or other names, that pairs wait for.
    public func servicesOfMissingEnrichments() async throws -> [String] {
        try await file.read { database in
            try database.all("SELECT DISTINCT service FROM farm_missing_enrichments") { $0.text(0) ?? "" }
        }
    }

    /// Images that wait for one of these services.
    public func imagesMissingEnrichments(
        of services: [String], after: ImageID, limit: Int
    ) async throws -> [ImageID] {
        try await file.read { database in
            let images = try services.flatMap { service in
                try database.all(
                    """
                    SELECT DISTINCT image_id FROM farm_missing_enrichments WHERE service = ? AND image_id > ?
                    ORDER BY image_id LIMIT ?
                    """, [service, after, max(0, limit)]
                ) { $0.integer(0) ?? 0 }
            }
            return Array(Set(images).sorted().prefix(max(0, limit)))
        }
    }
}
