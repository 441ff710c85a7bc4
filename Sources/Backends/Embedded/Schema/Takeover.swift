import GRDB

/// Prepares rows that are older than farm's indexes and triggers.
enum Takeover {
    /// - Returns: what was done, one line for each step.
    static func run(_ database: Database) throws -> [String] {
        guard try !database.exists("SELECT 1 FROM sqlite_master WHERE name = 'farm_postprocessing_key'") else {
            return []
        }
        try markStale(database)
        return try setAsideDuplicates(database)
    }

    /// Marks images with a stale consensus, once, by the times that the writers gave. From then on triggers mark them.
    private static func markStale(_ database: Database) throws {
        func newest(_ column: String, _ table: String) -> String {
            "coalesce((SELECT max(julianday(\(column))) FROM \(table) WHERE image_id = i.image_id), 0)"
        }
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO farm_stale (image_id)
                SELECT image_id FROM (SELECT DISTINCT image_id FROM results WHERE typeof(image_id) = 'integer') i
                WHERE \(newest("consensus_created", "consensus")) < max(
                    \(newest("result_created", "results")), \(newest("created", "merged_boxes")),
                    \(newest("result_created", "postprocessing")), 1)
                """)
    }

    /// Keeps the newest row of each box and service, which is the one that counts, and moves the others to a table of
    /// their own.
    private static func setAsideDuplicates(_ database: Database) throws -> [String] {
        let superseded = """
            SELECT postprocessing_id FROM (
                SELECT postprocessing_id, row_number() OVER (
                    PARTITION BY image_id, merged_box_id, service ORDER BY postprocessing_id DESC) AS place
                FROM postprocessing
                WHERE service IN ('face', 'pose', 'colors') AND image_id IS NOT NULL AND merged_box_id IS NOT NULL)
            WHERE place > 1
            """
        let count = try database.integer("SELECT count(*) FROM (\(superseded))") ?? 0
        guard count > 0 else { return [] }
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS farm_superseded_postprocessing AS SELECT * FROM postprocessing WHERE 0;
                CREATE INDEX IF NOT EXISTS farm_superseded_image ON farm_superseded_postprocessing (image_id);
                INSERT INTO farm_superseded_postprocessing
                SELECT * FROM postprocessing WHERE postprocessing_id IN (\(superseded));
                DELETE FROM postprocessing WHERE postprocessing_id IN (\(superseded));
                """)
        return ["\(count) superseded rows of postprocessing moved to farm_superseded_postprocessing"]
    }
}
