import Foundation
import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// All rows of `results` by service and status, and how long the last hour's calls took.
    public func services() async throws -> [ServiceReport] {
        let hourAgo = time.now().addingTimeInterval(-3600)
        return try await file.read { database in
            var reports: [String: ServiceReport] = [:]
            let groups = try database.all(
                """
                SELECT service, status, count(*), max(result_created) FROM results WHERE service IS NOT NULL
                GROUP BY service, status
                """
            ) { ($0.text(0) ?? "", $0.text(1), $0.integer(2) ?? 0, $0.time(3)) }
            for (service, status, count, last) in groups {
                var report =
                    reports[service]
                    ?? ServiceReport(service: service, success: 0, error: 0, last: nil, p50: nil, p95: nil)
                if status == ResultStatus.success.rawValue { report.success += count } else { report.error += count }
                report.last = [report.last, last].compactMap { $0 }.max()
                reports[service] = report
            }
            for service in reports.keys {
                let seconds = try EmbeddedStore.seconds(of: service, since: hourAgo, database)
                reports[service]?.p50 = seconds.percentile(0.5)
                reports[service]?.p95 = seconds.percentile(0.95)
            }
            return reports.values.sorted { $0.service < $1.service }
        }
    }

    /// Other tools write times in other forms: what sorts after the date's text is looked at once more.
    private static func seconds(of service: String, since: Date, _ database: Database) throws -> [Double] {
        try database.all(
            """
            SELECT result_created, processing_time FROM results
            WHERE service = ? AND status = 'success' AND result_created >= ?
            """, [service, StoredTime.text(since)]
        ) { row in row.time(0).flatMap { $0 >= since ? row.real(1) : nil } }
        .compactMap { $0 }.sorted()
    }

    /// Row counts of the tables.
    public func totals() async throws -> Totals {
        try await file.read { database in
            func count(_ table: String) throws -> Int { try database.integer("SELECT count(*) FROM \(table)") ?? 0 }
            return Totals(
                images: try count("images"), results: try count("results"), mergedBoxes: try count("merged_boxes"),
                consensus: try count("consensus"), postprocessing: try count("postprocessing"),
                failedPostprocessing: try count("postprocessing WHERE status = 'error'"))
        }
    }

    /// All that is known of these images, in their order; those that do not exist are left out.
    public func report(on images: [ImageID]) async throws -> [ImageReport] {
        try await file.read { database in
            let rows = ImageRows(database)
            return try images.compactMap { id in
                guard let image = try rows.image(id) else { return nil }
                let consensus = try database.first(
                    "SELECT consensus_data FROM consensus WHERE image_id = ? ORDER BY consensus_id DESC LIMIT 1", [id]
                ) { $0.json(0) }
                return ImageReport(image: image, findings: try rows.findings(id, reading: .all), consensus: consensus)
            }
        }
    }

    /// The fused boxes of each of these images, in the images' order.
    public func boxes(of images: [ImageID]) async throws -> [[StoredBox]] {
        try await file.read { database in
            let rows = ImageRows(database)
            return try images.map(rows.boxes)
        }
    }

    /// How many pairs of a box and a service wait.
    public func missingEnrichments() async throws -> [String: Int] {
        try await file.read { database in
            let counts = try database.all("SELECT service, count(*) FROM farm_missing_enrichments GROUP BY service") {
                ($0.text(0) ?? "", $0.integer(1) ?? 0)
            }
            return Dictionary(counts) { first, _ in first }
        }
    }
}

extension [Double] {
    /// Of sorted values, by linear interpolation between the two nearest (Hyndman and Fan's definition 7); nil of none.
    func percentile(_ fraction: Double) -> Double? {
        guard let last else { return nil }
        let place = fraction * Double(count - 1)
        let index = Int(place)
        guard index + 1 < count else { return last }
        return self[index] + (self[index + 1] - self[index]) * (place - Double(index))
    }
}
