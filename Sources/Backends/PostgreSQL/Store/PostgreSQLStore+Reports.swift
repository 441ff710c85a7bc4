import Foundation
import Model
import Pipeline

extension PostgreSQLStore {
    /// Everything about these images, in their order. Images that do not exist are left out.
    public func report(on images: [ImageID]) async throws -> [ImageReport] {
        guard !images.isEmpty else { return [] }
        let consensus = Statement(
            """
            SELECT DISTINCT ON (image_id) image_id, consensus_data FROM consensus WHERE image_id = ANY($1::bigint[])
            ORDER BY image_id, consensus_id DESC
            """, .integers(images))
        let reading = [ImageRows.images(images), consensus] + ImageRows.findings(images, reading: .all)
        return try await replica.run { connection in
            let answers = try connection.transaction(.snapshot, reading)
            let known = ImageRows.images(answers[0])
            let votes = Dictionary(
                answers[1].map { ($0.integer(0) ?? 0, $0.json(1) ?? .null) }, uniquingKeysWith: { first, _ in first })
            return ImageRows.findings(images, answers.dropFirst(2)).compactMap { findings in
                known[findings.imageID].map {
                    ImageReport(image: $0, findings: findings, consensus: votes[findings.imageID])
                }
            }
        }
    }

    /// The fused boxes of each of these images, in the images' order.
    public func boxes(of images: [ImageID]) async throws -> [[StoredBox]] {
        guard !images.isEmpty else { return [] }
        return try await replica.run { connection in
            let boxes = ImageRows.boxes(try connection.run([ImageRows.boxes(images)])[0])
            return images.map { boxes[$0] ?? [] }
        }
    }

    /// How many pairs of a box and a service wait.
    public func missingEnrichments() async throws -> [String: Int] {
        let statement = Statement("SELECT service, count(*) FROM farm_missing_enrichments GROUP BY service")
        return try await replica.run { connection in
            let counts = try connection.run([statement])[0].map { ($0.text(0) ?? "", $0.integer(1) ?? 0) }
            return Dictionary(counts) { first, _ in first }
        }
    }
}
