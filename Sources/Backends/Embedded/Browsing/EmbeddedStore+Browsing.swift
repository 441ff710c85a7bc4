import Foundation
import GRDB
import Model
import Pipeline

extension EmbeddedStore: ImageBrowsing {
    /// A page of the images that match.
    public func page(
        _ query: ImageQuery, _ order: ImageOrder, at cursor: ImageCursor?, limit: Int, scanning bound: Int
    ) async throws -> ImagePage {
        let search = try await file.read { try SearchQuery(query, $0) }
        let found = try await ImagePage.find(order, at: cursor, limit: limit) { order, after, limit in
            try await search.find(file, order, after: after, limit: limit, bound: bound)
        }
        var page = found.page
        page.tiles = try await file.read { database in
            try found.images.compactMap { try EmbeddedStore.tile(of: $0, query, database) }
        }
        return page
    }

    /// The images beside this one among those that match.
    public func neighbours(
        of image: ImageID, _ query: ImageQuery, _ order: ImageOrder, scanning bound: Int
    ) async throws -> ImageNeighbours {
        let search = try await file.read { try SearchQuery(query, $0) }
        return try await ImageNeighbours.find(of: image, order) { order, after, limit in
            try await search.find(file, order, after: after, limit: limit, bound: bound)
        }
    }

    private static func tile(of id: ImageID, _ query: ImageQuery, _ database: Database) throws -> ImageTile? {
        let (rows, index) = (ImageRows(database), IndexRows(database))
        guard let image = try rows.image(id) else { return nil }
        let labels = labels(of: try rows.boxes(id).compactMap(\.box))
        let standing = try database.first(
            """
            SELECT s.standing FROM farm_indexed_images f JOIN farm_image_states s ON s.state_id = f.state_id
            WHERE f.image_id = ?
            """, [id]
        ) { ImageStanding($0.json(0)) }
        return ImageTile(
            image: image, labels: labels, votes: try index.votes(of: id), standing: try index.standing(of: id),
            expected: query.expected, disagrees: standing?.disagrees)
    }

    /// The surest first.
    private static func labels(of boxes: [MergedBox]) -> [ImageTile.Label] {
        var labels: [String: ImageTile.Label] = [:]
        for box in boxes {
            var label = labels[box.label] ?? ImageTile.Label(label: box.label, boxes: 0, confidence: 0)
            label.boxes += 1
            label.confidence = max(label.confidence, box.averageConfidence)
            labels[box.label] = label
        }
        return labels.values.sorted { left, right in
            left.confidence == right.confidence ? left.label < right.label : left.confidence > right.confidence
        }
    }

    // MARK: One image

    private static let resultColumns =
        "result_id, image_id, service, data, status, processing_time, result_created"

    /// All rows of `results` of an image, the newest first.
    public func history(of image: ImageID, limit: Int) async throws -> [ResultSummary] {
        try await file.read { database in
            try database.all(
                """
                SELECT result_id, service, status, processing_time, result_created, worker_id,
                    CASE WHEN status = 'error' THEN data END
                FROM results WHERE image_id = ? ORDER BY +result_id DESC LIMIT ?
                """, [image, max(0, limit)]
            ) { row in
                ResultSummary(
                    resultID: row.integer(0) ?? 0, service: row.text(1) ?? "",
                    status: row.text(2).flatMap(ResultStatus.init) ?? .error, processingTime: row.real(3) ?? 0,
                    created: row.time(4) ?? Date(timeIntervalSince1970: 0), workerID: row.text(5) ?? "",
                    error: ResultSummary.error(in: row.json(6)))
            }
        }
    }

    /// A row of `results` of this image.
    public func result(_ resultID: Int, of image: ImageID) async throws -> StoredResult? {
        try await file.read { database in
            try database.first(
                "SELECT \(EmbeddedStore.resultColumns) FROM results WHERE result_id = ? AND image_id = ?",
                [resultID, image]
            ) { ImageRows.result($0, reading: .all) }
        }
    }

    /// The newest rows of each image and service.
    public func recentResults(of images: [ImageID], perService: Int) async throws -> [ImageID: [StoredResult]] {
        try await file.read { database in
            var found: [ImageID: [StoredResult]] = [:]
            for id in images {
                let rows = try database.all(
                    """
                    SELECT \(EmbeddedStore.resultColumns) FROM results WHERE result_id IN (
                        SELECT result_id FROM (SELECT result_id, row_number() OVER (
                            PARTITION BY service ORDER BY result_id DESC) AS place
                            FROM results WHERE image_id = ? AND service IS NOT NULL) WHERE place <= ?)
                    ORDER BY service, result_id DESC
                    """, [id, max(0, perService)]
                ) { row in
                    var result = ImageRows.result(row, reading: .all)
                    result.data = .object([
                        "predictions": result.data["predictions"] ?? .null, "error": result.data["error"] ?? .null,
                    ])
                    return result
                }
                if !rows.isEmpty { found[id] = rows }
            }
            return found
        }
    }

    /// Images of the newest rows.
    public func recentlyAnswered(limit: Int) async throws -> [ImageID] {
        try await file.read { database in
            try database.all(
                """
                SELECT image_id FROM (SELECT image_id, result_id FROM results ORDER BY result_id DESC LIMIT ?1 * ?2)
                WHERE image_id IS NOT NULL GROUP BY image_id ORDER BY max(result_id) DESC LIMIT ?1
                """, [max(0, limit), ImageSearch.rowsPerImage]
            ) { $0.integer(0) }.compactMap { $0 }
        }
    }

    // MARK: What can be looked for

    /// Groups of images, from one to the next by the index.
    public func groups(limit: Int) async throws -> [String] {
        try await file.read { database in
            var groups: [String] = []
            while groups.count < limit {
                let next = try database.first(
                    "SELECT min(image_group) FROM images WHERE image_group > ?", [groups.last ?? ""]
                ) { $0.text(0) }
                guard let group = next ?? nil else { break }
                groups.append(group)
            }
            return groups
        }
    }

    /// Labels that begin with a text.
    public func labels(beginning text: String, limit: Int) async throws -> [String] {
        let start = IndexTag.label(text)
        return try await file.read { database in
            // In the order of bytes, so those that begin so stand together.
            try database.all(
                """
                SELECT substr(tag, ?) FROM farm_image_tags WHERE tag >= ? AND substr(tag, 1, ?) = ? AND tag < ?
                ORDER BY tag LIMIT ?
                """,
                [
                    IndexTag.labelStart.count + 1, start, start.unicodeScalars.count, start,
                    IndexTag.labelStart.dropLast() + ";", max(0, limit),
                ]
            ) { $0.text(0) ?? "" }
        }
    }
}
