/// Prepares rows that are older than farm's indexes and triggers.
enum Takeover {
    /// If an older program left several rows of a box and service, the newest one counts.
    static let superseded = """
        SELECT postprocessing_id FROM (
            SELECT postprocessing_id, row_number() OVER (
                PARTITION BY image_id, merged_box_id, service ORDER BY postprocessing_id DESC) AS place
            FROM postprocessing
            WHERE service IN ('face', 'pose', 'colors') AND image_id IS NOT NULL AND merged_box_id IS NOT NULL) p
        WHERE place > 1
        """

    private static let columns =
        "postprocessing_id, image_id, merged_box_id, service, data, status, result_created"

    /// The table that keeps the other rows.
    static let asideTable = """
        CREATE TABLE IF NOT EXISTS farm_superseded_postprocessing (postprocessing_id BIGINT, image_id INT, \
        merged_box_id INT, service TEXT, data JSONB, status TEXT, result_created TIMESTAMP)
        """

    static let setAside = """
        WITH gone AS (DELETE FROM postprocessing WHERE postprocessing_id IN (\(superseded)) RETURNING \(columns))
        INSERT INTO farm_superseded_postprocessing (\(columns)) SELECT \(columns) FROM gone
        """

    /// Marks images with a stale consensus, once, by the times that the writers gave. From then on triggers mark them.
    static let markStale: String = {
        func newest(_ column: String, _ table: String) -> String {
            "(SELECT image_id, max(\(column)) AS newest FROM \(table) GROUP BY image_id)"
        }
        return """
            INSERT INTO farm_stale (image_id)
            SELECT r.image_id FROM \(newest("result_created", "results")) r
            LEFT JOIN \(newest("consensus_created", "consensus")) c ON c.image_id = r.image_id
            LEFT JOIN \(newest("created", "merged_boxes")) b ON b.image_id = r.image_id
            LEFT JOIN \(newest("result_created", "postprocessing")) p ON p.image_id = r.image_id
            WHERE r.image_id IS NOT NULL
            AND (c.newest IS NULL OR c.newest < greatest(r.newest, b.newest, p.newest))
            """
    }()
}
