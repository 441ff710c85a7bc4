import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// How many rows `forget(_:services:)` would delete.
    public func holdings(of images: [ImageID], services: [String]) async throws -> Totals {
        try await file.read { database in
            try EmbeddedStore.sum(images) { image in
                func count(_ table: String, _ condition: String) throws -> Int {
                    try database.integer(
                        "SELECT count(*) FROM \(table) WHERE image_id = ?1 AND \(condition)",
                        [image, SQLiteValues.list(services)]) ?? 0
                }
                return Totals(
                    results: try count("results", Said.result), mergedBoxes: try count("merged_boxes", Said.box),
                    consensus: try count("consensus", Said.consensus),
                    postprocessing: try count("postprocessing", Said.enrichment))
            }
        }
    }

    /// Deletes what these services found in the images.
    public func forget(_ images: [ImageID], services: [String]) async throws -> (dropped: Totals, changed: [ImageID]) {
        let list = SQLiteValues.list(services)
        return try await file.write { database in
            let hasSuperseded = try EmbeddedStore.hasSuperseded(database)
            var changed: [ImageID] = []
            let dropped = try EmbeddedStore.sum(images) { image in
                @discardableResult
                func drop(_ table: String, _ condition: String) throws -> Int {
                    try database.run("DELETE FROM \(table) WHERE image_id = ?1 AND \(condition)", [image, list])
                }
                var dropped = Totals()
                // Rows whose condition looks at other rows are deleted before those.
                dropped.consensus = try drop("consensus", Said.consensus)
                dropped.postprocessing = try drop("postprocessing", Said.enrichment)
                if hasSuperseded { try drop("farm_superseded_postprocessing", Said.service) }
                try drop("farm_missing_enrichments", "(\(Said.service) OR merged_id IN (\(Said.boxIDs)))")
                dropped.mergedBoxes = try drop("merged_boxes", Said.box)
                dropped.results = try drop("results", Said.result)
                if try !database.exists("SELECT 1 FROM results WHERE image_id = ?", [image]) {
                    try database.run("DELETE FROM farm_stale WHERE image_id = ?", [image])
                } else if try database.exists(
                    """
                    SELECT 1 FROM farm_stale WHERE image_id = ?1
                    UNION ALL SELECT 1 FROM merged_boxes WHERE image_id = ?1 AND \(Said.boxInPart)
                    """, [image, list])
                {
                    changed.append(image)
                }
                try IndexRows(database).lose(image)
                return dropped
            }
            return (dropped, changed)
        }
    }
}

/// Which rows of image ?1 are based on the services in the JSON array ?2. Another program's rows may not be JSON.
private enum Said {
    static let service = "service IN (SELECT value FROM json_each(?2))"
    static let result = service

    /// Only these services saw the box.
    static let box = """
        (CASE WHEN \(boxInPart) THEN NOT EXISTS (SELECT 1 FROM json_each(merged_data, '$.contributing_services')
            WHERE value NOT IN (SELECT value FROM json_each(?2))) ELSE 0 END)
        """

    /// These services saw the box, perhaps with others.
    static let boxInPart = names("merged_data", "$.contributing_services")

    static let boxIDs = "SELECT merged_id FROM merged_boxes WHERE image_id = ?1 AND \(box)"

    static let enrichment = "(\(service) OR merged_box_id IN (\(boxIDs)))"

    /// They contributed to it, or their rows are newer than it is.
    static let consensus = """
        (\(names("consensus_data", "$.services_list")) OR \(names("consensus_data", "$.services_failed"))
            OR EXISTS (SELECT 1 FROM results WHERE image_id = ?1 AND \(result))
            OR EXISTS (SELECT 1 FROM postprocessing WHERE image_id = ?1 AND \(enrichment)))
        """

    private static func names(_ column: String, _ path: String) -> String {
        """
        (CASE WHEN json_valid(\(column)) THEN EXISTS (SELECT 1 FROM json_each(\(column), '\(path)')
            WHERE value IN (SELECT value FROM json_each(?2))) ELSE 0 END)
        """
    }
}
