import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// Replaces the consensus of the images by what `vote` makes of the newest rows. An older table may have several
    /// rows of an image.
    public func updateConsensus(
        of images: [ImageID], vote: @Sendable @escaping (ImageFindings) -> ConsensusRecord?
    ) async throws {
        guard !images.isEmpty else { return }
        let now = now
        try await file.write { database in
            let rows = ImageRows(database)
            for image in Set(images).sorted() {
                let findings = try rows.findings(image, reading: .predictions)
                try EmbeddedStore.replace(image, findings.results.isEmpty ? nil : vote(findings), now: now, database)
            }
        }
    }

    static func replace(_ image: ImageID, _ record: ConsensusRecord?, now: String, _ database: Database) throws {
        try database.run("DELETE FROM consensus WHERE image_id = ?", [image])
        if let record {
            try database.run(
                """
                INSERT INTO consensus (image_id, consensus_data, processing_time, consensus_created)
                VALUES (?, ?, ?, ?)
                """,
                [image, record.data.text, record.processingTime.isFinite ? record.processingTime : nil, now])
        }
        // The deletion has marked the image. See Indexes.
        try database.run("DELETE FROM farm_stale WHERE image_id = ?", [image])
    }

    /// Images whose consensus is missing or older than what it is based on, ascending. Rows of an image that is not in
    /// `images` are not voted on.
    public func imagesWithStaleConsensus(limit: Int) async throws -> [ImageID] {
        try await file.read { database in
            try database.all(
                """
                SELECT image_id FROM farm_stale s WHERE EXISTS (SELECT 1 FROM images WHERE image_id = s.image_id)
                AND (EXISTS (SELECT 1 FROM results WHERE image_id = s.image_id)
                OR EXISTS (SELECT 1 FROM consensus WHERE image_id = s.image_id)) ORDER BY image_id LIMIT ?
                """, [max(0, limit)]
            ) { $0.integer(0) ?? 0 }
        }
    }
}
