import Model
import Pipeline

extension PostgreSQLStore {
    /// Replaces the consensus of the images by what `vote` makes of the newest rows. An older table may have several
    /// rows of an image.
    public func updateConsensus(
        of images: [ImageID], vote: @Sendable @escaping (ImageFindings) -> ConsensusRecord?
    ) async throws {
        guard !images.isEmpty else { return }
        let ids = Locks.order(images)
        // The marks are deleted before the rows are read. What is written in between keeps its mark, and at worst is
        // voted on twice.
        let reading =
            [Locks.take(ids)] + PostgreSQLStore.unmarking(ids) + ImageRows.findings(ids, reading: .predictions)
        try await primary.run { connection in
            try connection.transaction(.current, reading) { answers in
                let records = ImageRows.findings(ids, answers.dropFirst(3)).compactMap { findings in
                    findings.results.isEmpty ? nil : vote(findings).map { (findings.imageID, $0) }
                }
                return ((), PostgreSQLStore.replacing(ids, records))
            }
        }
    }

    static func unmarking(_ ids: [ImageID]) -> [Statement] {
        [
            Statement("SELECT set_config('\(OwnTables.voting)', 'on', true)"),
            Statement("DELETE FROM farm_stale WHERE image_id = ANY($1::bigint[])", .integers(ids)),
        ]
    }

    static func replacing(_ ids: [ImageID], _ records: [(ImageID, ConsensusRecord)]) -> [Statement] {
        [
            Statement("DELETE FROM consensus WHERE image_id = ANY($1::bigint[])", .integers(ids)),
            Statement(
                """
                INSERT INTO consensus (image_id, consensus_data, processing_time)
                SELECT * FROM unnest($1::bigint[], $2::jsonb[], $3::float8[])
                """, .integers(records.map(\.0)), .json(records.map { StorableJSON.mended($0.1.data) }),
                .doubles(records.map(\.1.processingTime))),
        ]
    }

    /// Images whose consensus is missing or older than what it is based on, ascending. Rows of an image that is not in
    /// `images` are not voted on.
    public func imagesWithStaleConsensus(limit: Int) async throws -> [ImageID] {
        let statement = Statement(
            """
            SELECT image_id FROM farm_stale s WHERE EXISTS (SELECT 1 FROM images WHERE image_id = s.image_id)
            AND (EXISTS (SELECT 1 FROM results WHERE image_id = s.image_id)
                OR EXISTS (SELECT 1 FROM consensus WHERE image_id = s.image_id))
            GROUP BY image_id ORDER BY image_id LIMIT $1::bigint
            """, .integer(max(0, limit)))
        return try await replica.run { try $0.run([statement])[0].map { $0.integer(0) ?? 0 } }
    }
}
