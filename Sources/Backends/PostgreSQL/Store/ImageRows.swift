import Foundation
import Model

/// What the tables hold about some images. Statements and the reading of their answers are separate, so that several
/// can share one round trip.
enum ImageRows {
    static let imageColumns = "i.image_id, i.image_filename, i.image_path, i.image_url, i.image_group"

    static func image(_ row: Row) -> Image? {
        row.integer(0).map {
            Image(id: $0, filename: row.text(1), path: row.text(2), url: row.text(3), group: row.text(4))
        }
    }

    static func images(_ ids: [ImageID]) -> Statement {
        Statement("SELECT \(imageColumns) FROM images i WHERE i.image_id = ANY($1::bigint[])", .integers(ids))
    }

    static func images(_ rows: Rows) -> [ImageID: Image] {
        Dictionary(rows.map(image).compactMap { $0 }.map { ($0.id, $0) }) { first, _ in first }
    }

    /// Which part of a row's data is read.
    enum Extent: String {
        case all
        /// The part that merging and voting need.
        case predictions
        /// The part that shows whether a failure is final.
        case error

        fileprivate func of(_ column: String) -> String {
            self == .all ? column : "jsonb_build_object('\(rawValue)', \(column) -> '\(rawValue)')"
        }
    }

    // MARK: Results

    private static func newest(
        _ condition: String, reading extent: Extent, _ arguments: Statement.Value...
    ) -> Statement {
        Statement(
            """
            SELECT r.image_id, r.result_id, r.service, \(extent.of("r.data")), r.status, r.processing_time,
                extract(epoch FROM r.result_created::timestamptz)
            FROM (SELECT image_id, max(result_id) AS result_id FROM results
                WHERE image_id = ANY($1::bigint[]) AND \(condition) GROUP BY image_id, service, status) n
            JOIN results r ON r.result_id = n.result_id AND r.image_id = n.image_id
            ORDER BY r.image_id, r.service COLLATE "C", r.result_id
            """, values: arguments)
    }

    /// For each image, service and status, the row with the largest id, sorted by image and service.
    private static func newestResults(_ ids: [ImageID], reading extent: Extent) -> Statement {
        newest("service IS NOT NULL", reading: extent, .integers(ids))
    }

    /// The newest successful row of each image for each of these services, sorted by image and service.
    static func successes(_ ids: [ImageID], of services: [String]) -> Statement {
        newest(
            "service = ANY($2::text[]) AND status = 'success'", reading: .predictions, .integers(ids), .texts(services))
    }

    /// An unknown status counts as an error, and an unreadable time as 1970.
    static func results(_ rows: Rows) -> [ImageID: [StoredResult]] {
        grouped(rows) { image, row in
            StoredResult(
                resultID: row.integer(1) ?? 0, imageID: image, service: row.text(2) ?? "", data: row.json(3) ?? .null,
                status: row.text(4).flatMap(ResultStatus.init) ?? .error, processingTime: row.real(5) ?? 0,
                created: row.time(6) ?? Date(timeIntervalSince1970: 0))
        }
    }

    // MARK: Boxes and enrichments

    static func boxes(_ ids: [ImageID]) -> Statement {
        Statement(
            """
            SELECT image_id, merged_id, merged_data FROM merged_boxes WHERE image_id = ANY($1::bigint[])
            ORDER BY image_id, merged_id
            """, .integers(ids))
    }

    static func boxes(_ rows: Rows) -> [ImageID: [StoredBox]] {
        grouped(rows) { _, row in StoredBox(mergedID: row.integer(1) ?? 0, data: row.json(2) ?? .null) }
    }

    /// Rows of `face`, `pose` and `colors`. Older programs left others. If they left several rows of a box and service,
    /// the newest counts.
    static func enrichments(_ ids: [ImageID], reading extent: Extent) -> Statement {
        Statement(
            """
            SELECT DISTINCT ON (image_id, merged_box_id, service COLLATE "C")
                image_id, merged_box_id, service, \(extent.of("data")), status FROM postprocessing
            WHERE image_id = ANY($1::bigint[]) AND service IN ('face', 'pose', 'colors') AND merged_box_id IS NOT NULL
            ORDER BY image_id, merged_box_id, service COLLATE "C", postprocessing_id DESC
            """, .integers(ids))
    }

    static func enrichments(_ rows: Rows) -> [ImageID: [StoredEnrichment]] {
        grouped(rows) { _, row in
            StoredEnrichment(
                mergedID: row.integer(1) ?? 0, service: row.text(2) ?? "", data: row.json(3) ?? .null,
                status: row.text(4).flatMap(ResultStatus.init) ?? .error)
        }
    }

    // MARK: Findings

    /// Three statements. `findings` reads their answers.
    static func findings(_ ids: [ImageID], reading extent: Extent) -> [Statement] {
        [newestResults(ids, reading: extent), boxes(ids), enrichments(ids, reading: extent)]
    }

    static func findings(_ ids: [ImageID], _ answers: some Collection<Rows>) -> [ImageFindings] {
        let answers = Array(answers)
        guard answers.count == 3 else { return [] }
        let (newest, boxes, enrichments) = (results(answers[0]), boxes(answers[1]), enrichments(answers[2]))
        return ids.map { id in
            var results: [StoredResult] = []
            var successes: [StoredResult] = []
            // They are sorted by service and id, so the last row of a service is its newest.
            for row in newest[id] ?? [] {
                if results.last?.service == row.service { results.removeLast() }
                results.append(row)
                if row.status == .success { successes.append(row) }
            }
            return ImageFindings(
                imageID: id, results: results, successes: successes, boxes: boxes[id] ?? [],
                enrichments: enrichments[id] ?? [])
        }
    }

    /// Rows by the image in their first column, in their order.
    private static func grouped<Value>(_ rows: Rows, _ value: (ImageID, Row) -> Value) -> [ImageID: [Value]] {
        var groups: [ImageID: [Value]] = [:]
        for index in 0..<rows.count {
            let row = rows[index]
            guard let image = row.integer(0) else { continue }
            groups[image, default: []].append(value(image, row))
        }
        return groups
    }
}
