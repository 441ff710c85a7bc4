/// An index that farm's statements use.
struct Index {
    var name: String
    var table: String
    /// What follows ON in the statement.
    var definition: String
    var isUnique = false

    /// - Parameter isLive: whether the table has rows and perhaps writers, who must not be made to wait.
    func sql(isLive: Bool) -> String {
        "CREATE \(isUnique ? "UNIQUE " : "")INDEX \(isLive ? "CONCURRENTLY " : "")IF NOT EXISTS \(name) ON \(table) "
            + definition
    }

    /// Makes enrichment rows unique by box and service. Rows that older programs wrote for other services are not
    /// covered.
    static let enrichmentKey = Index(
        name: "farm_postprocessing_key", table: "postprocessing",
        definition: "(image_id, merged_box_id, service) WHERE service IN ('face', 'pose', 'colors')", isUnique: true)

    static let all = shared + IndexTables.indexes

    private static let shared = [
        // A path or URL may be too long for a B-tree. A hash index keeps equal keys in one chain, and each new one
        // walks it: without the condition, other programs' rows with an empty text instead of NULL would make it
        // quadratic.
        Index(name: "farm_images_path", table: "images", definition: "USING hash (image_path) WHERE image_path <> ''"),
        Index(name: "farm_images_url", table: "images", definition: "USING hash (image_url) WHERE image_url <> ''"),
        Index(name: "farm_images_filename", table: "images", definition: "(image_filename)"),
        Index(name: "farm_images_group", table: "images", definition: "(image_group, image_id)"),
        // A job has one row, however often it is delivered.
        Index(
            name: "farm_results_job", table: "results", definition: "(image_id, job_id) WHERE job_id IS NOT NULL",
            isUnique: true),
        // For the newest row, and the newest successful row, of an image and service.
        Index(name: "farm_results_newest", table: "results", definition: "(image_id, service, status, result_id)"),
        // For counts, the last row and percentiles by service, without reading the large rows.
        Index(
            name: "farm_results_service", table: "results",
            definition: "(service, status, result_created) INCLUDE (processing_time)"),
        Index(name: "farm_merged_boxes_image", table: "merged_boxes", definition: "(image_id)"),
        Index(name: "farm_consensus_image", table: "consensus", definition: "(image_id)"),
        // For rows of any service: a foreign key may delete all of them with a box.
        Index(name: "farm_postprocessing_box", table: "postprocessing", definition: "(image_id, merged_box_id)"),
        enrichmentKey,
        // For recent failures. Rows that succeed cost nothing here.
        Index(
            name: "farm_postprocessing_failed", table: "postprocessing",
            definition: "(result_created) WHERE status = 'error'"),
        Index(name: "farm_missing_service", table: "farm_missing_enrichments", definition: "(service, image_id)"),
        Index(name: "farm_refused_place", table: "farm_refused", definition: "USING hash (place)"),
    ]
}
