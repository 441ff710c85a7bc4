import Foundation
import Model
import Pipeline

extension PostgreSQLStore {
    /// All rows of `results` by service and status, and how long the last hour's calls took.
    public func services() async throws -> [ServiceReport] {
        let counts = Statement(
            """
            SELECT service, count(*) FILTER (WHERE status = 'success'),
                count(*) FILTER (WHERE status IS DISTINCT FROM 'success'),
                extract(epoch FROM max(result_created)::timestamptz)
            FROM results WHERE service IS NOT NULL GROUP BY service ORDER BY service COLLATE "C"
            """)
        // By linear interpolation between the two nearest (Hyndman and Fan's definition 7).
        let times = Statement(
            """
            SELECT service, percentile_cont(0.5) WITHIN GROUP (ORDER BY processing_time),
                percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_time)
            FROM results WHERE service IS NOT NULL AND status = 'success' AND processing_time IS NOT NULL
            AND result_created >= (now() - interval '1 hour')::timestamp GROUP BY service
            """)
        return try await replica.run { connection in
            let answers = try connection.transaction(.snapshot, [counts, times])
            let seconds = Dictionary(
                answers[1].map { ($0.text(0) ?? "", ($0.real(1), $0.real(2))) }, uniquingKeysWith: { first, _ in first }
            )
            return answers[0].map { row in
                let service = row.text(0) ?? ""
                return ServiceReport(
                    service: service, success: row.integer(1) ?? 0, error: row.integer(2) ?? 0, last: row.time(3),
                    p50: seconds[service]?.0, p95: seconds[service]?.1)
            }
        }
    }

    /// Row counts of the tables.
    public func totals() async throws -> Totals {
        let tables = ["images", "results", "merged_boxes", "consensus", "postprocessing"]
        let failed = "postprocessing WHERE status = 'error'"
        let statement = Statement(
            "SELECT " + (tables + [failed]).map { "(SELECT count(*) FROM \($0))" }.joined(separator: ", "))
        return try await replica.run { connection in
            let row = try connection.run([statement])[0].first
            func count(_ column: Int32) -> Int { row?.integer(column) ?? 0 }
            return Totals(
                images: count(0), results: count(1), mergedBoxes: count(2), consensus: count(3),
                postprocessing: count(4), failedPostprocessing: count(5))
        }
    }

    /// All that is known of these images, in their order; those that do not exist are left out.
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
