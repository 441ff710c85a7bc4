/// An index that farm's statements use.
struct Index {
    var name: String
    var table: String
    /// What stands after ON.
    var definition: String
    var isUnique = false

    /// - Parameter isLive: the table has rows and perhaps writers, who are not made to wait.
    func sql(isLive: Bool) -> String {
        "CREATE \(isUnique ? "UNIQUE " : "")INDEX \(isLive ? "CONCURRENTLY " : "")IF NOT EXISTS \(name) ON \(table) "
            + definition
    }

    /// Enrichment rows are unique by box and service; older programs' rows of other services are not.
    static let enrichmentKey = Index(
        name: "farm_postprocessing_key", table: "postprocessing",
        definition: "(image_id, merged_box_id, service) WHERE service IN ('face', 'pose', 'colors')", isUnique: true)

    static let all = [
        // A path or URL may be longer than a B-tree's rows. Equal keys of a hash index are one chain, which each new one walks:
        // other programs' rows with an empty text in place of NULL would make it quadratic.
        Index(name: "farm_images_path", table: "images", definition: "USING hash (image_path) WHERE image_path <> ''"),
        Index(name: "farm_images_url", table: "images", definition: "USING hash (image_url) WHERE image_url <> ''"),
        Index(name: "farm_images_filename", table: "images", definition: "(image_filename)"),
        Index(name: "farm_images_group", table: "images", definition: "(image_group, image_id)"),
        // A job has one row, however often it is delivered.
        Index(
            name: "farm_results_job", table: "results", definition: "(image_id, job_id) WHERE job_id IS NOT NULL",
            isUnique: true),
        // The newest row, and the newest successful one, of an image and service.
        Index(name: "farm_results_newest", table: "results", definition: "(image_id, service, status, result_id)"),
        // Counts, last and percentiles by service, without a look at the large rows.
        Index(
            name: "farm_results_service", table: "results",
            definition: "(service, status, result_created) INCLUDE (processing_time)"),
        Index(name: "farm_merged_boxes_image", table: "merged_boxes", definition: "(image_id)"),
        Index(name: "farm_consensus_image", table: "consensus", definition: "(image_id)"),
        // Whatever service a row is of: a foreign key may make a box take all of them along.
        Index(name: "farm_postprocessing_box", table: "postprocessing", definition: "(image_id, merged_box_id)"),
        enrichmentKey,
        // What has failed of late: nothing is added for what succeeds.
        Index(
            name: "farm_postprocessing_failed", table: "postprocessing",
            definition: "(result_created) WHERE status = 'error'"),
        Index(name: "farm_missing_service", table: "farm_missing_enrichments", definition: "(service, image_id)"),
        Index(name: "farm_refused_place", table: "farm_refused", definition: "USING hash (place)"),
    ]
}
