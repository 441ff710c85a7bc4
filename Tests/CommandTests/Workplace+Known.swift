/// Images of which everything is known, for the commands that take it away.
extension Workplace {
    /// Gives every image a result of clip, a box with an enrichment and one that is missing, and a consensus.
    func makeAllKnown() async throws {
        _ = try await rows(
            """
            INSERT INTO results (image_id, service, data, status) SELECT image_id, 'clip', '{}', 'success' FROM images;
            INSERT INTO merged_boxes (image_id, merged_data) SELECT image_id, '{}' FROM images;
            INSERT INTO postprocessing (image_id, merged_box_id, service)
                SELECT image_id, merged_id, 'colors' FROM merged_boxes;
            INSERT INTO farm_missing_enrichments SELECT image_id, merged_id, 'face' FROM merged_boxes;
            INSERT INTO consensus (image_id, consensus_data) SELECT image_id, '{}' FROM images;
            """)
    }

    /// The images that each table has rows of.
    func images(in tables: [String]) async throws -> [[String]] {
        var images: [[String]] = []
        for table in tables {
            images.append(try await rows("SELECT DISTINCT image_id FROM \(table) ORDER BY 1"))
        }
        return images
    }
}
