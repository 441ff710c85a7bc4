import Foundation
import GRDB
import Model

/// Reads what the file holds about one image, inside a transaction of the caller. Its statements are compiled once.
struct ImageRows {
    static let imageColumns = "image_id, image_filename, image_path, image_url, image_group"

    let database: Database

    init(_ database: Database) { self.database = database }

    func image(_ id: ImageID) throws -> Image? {
        try database.first("SELECT \(ImageRows.imageColumns) FROM images WHERE image_id = ?", [id], ImageRows.image)
    }

    static func image(_ row: Row) -> Image {
        Image(id: row.integer(0) ?? 0, filename: row.text(1), path: row.text(2), url: row.text(3), group: row.text(4))
    }

    /// For each service and status, the row with the largest id, sorted by service.
    private func newest(_ id: ImageID, reading extent: JSON.Extent) throws -> [StoredResult] {
        try database.all(
            """
            SELECT r.result_id, r.image_id, r.service, r.data, r.status, r.processing_time, r.result_created
            FROM (SELECT max(result_id) AS id FROM results WHERE image_id = ? AND service IS NOT NULL GROUP BY service, status) n
            JOIN results r ON r.result_id = n.id ORDER BY r.service, r.result_id
            """, [id]
        ) { ImageRows.result($0, reading: extent) }
    }

    /// The newest successful row of each of these services, with only the predictions of its data.
    func successes(_ id: ImageID, of services: [String]) throws -> [StoredResult] {
        try database.all(
            """
            SELECT r.result_id, r.image_id, r.service, r.data, r.status, r.processing_time, r.result_created
            FROM (SELECT max(result_id) AS id FROM results
                WHERE image_id = ? AND service IN (SELECT value FROM json_each(?)) AND status = 'success' GROUP BY service) n
            JOIN results r ON r.result_id = n.id ORDER BY r.service
            """, [id, SQLiteValues.list(services)]
        ) { ImageRows.result($0, reading: .predictions) }
    }

    /// An unknown status counts as an error, and an unreadable time as 1970.
    static func result(_ row: Row, reading extent: JSON.Extent) -> StoredResult {
        StoredResult(
            resultID: row.integer(0) ?? 0, imageID: row.integer(1) ?? 0, service: row.text(2) ?? "",
            data: row.json(3, reading: extent), status: row.text(4).flatMap(ResultStatus.init) ?? .error,
            processingTime: row.real(5) ?? 0,
            created: row.time(6) ?? Date(timeIntervalSince1970: 0))
    }

    func boxes(_ id: ImageID) throws -> [StoredBox] {
        try database.all("SELECT merged_id, merged_data FROM merged_boxes WHERE image_id = ? ORDER BY merged_id", [id])
        {
            StoredBox(mergedID: $0.integer(0) ?? 0, data: $0.json(1))
        }
    }

    /// Rows of `face`, `pose` and `colors`. Older programs left others.
    func enrichments(_ id: ImageID, reading extent: JSON.Extent) throws -> [StoredEnrichment] {
        try database.all(
            """
            SELECT merged_box_id, service, data, status FROM postprocessing
            WHERE image_id = ? AND service IN ('face', 'pose', 'colors') AND merged_box_id IS NOT NULL
            ORDER BY merged_box_id, service
            """, [id]
        ) {
            StoredEnrichment(
                mergedID: $0.integer(0) ?? 0, service: $0.text(1) ?? "", data: $0.json(2, reading: extent),
                status: $0.text(3).flatMap(ResultStatus.init) ?? .error)
        }
    }

    func findings(_ id: ImageID, reading extent: JSON.Extent) throws -> ImageFindings {
        var results: [StoredResult] = []
        var successes: [StoredResult] = []
        // They are sorted by service and id, so the last row of a service is its newest.
        for row in try newest(id, reading: extent) {
            if results.last?.service == row.service { results.removeLast() }
            results.append(row)
            if row.status == .success { successes.append(row) }
        }
        return ImageFindings(
            imageID: id, results: results, successes: successes, boxes: try boxes(id),
            enrichments: try enrichments(id, reading: extent))
    }
}

extension JSON.Extent {
    /// The part of the data that merging and voting need.
    static let predictions = JSON.Extent.member("predictions")
}
