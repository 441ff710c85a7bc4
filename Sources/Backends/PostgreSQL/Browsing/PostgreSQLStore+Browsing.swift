import Foundation
import Model
import Pipeline

extension PostgreSQLStore: ImageBrowsing {
    /// A page of the images that match.
    public func page(
        _ query: ImageQuery, _ order: ImageOrder, at cursor: ImageCursor?, limit: Int, scanning bound: Int
    ) async throws -> ImagePage {
        let search = try await Search(query, replica)
        var (page, images) = try await ImagePage.find(order, at: cursor, limit: limit) { order, after, limit in
            try await search.find(order, after: after, limit: limit, bound: bound)
        }
        page.tiles = try await tiles(of: images, query)
        return page
    }

    /// The images beside this one among those that match.
    public func neighbours(
        of image: ImageID, _ query: ImageQuery, _ order: ImageOrder, scanning bound: Int
    ) async throws -> ImageNeighbours {
        let search = try await Search(query, replica)
        return try await ImageNeighbours.find(of: image, order) { order, after, limit in
            try await search.find(order, after: after, limit: limit, bound: bound)
        }
    }

    private func tiles(of images: [ImageID], _ query: ImageQuery) async throws -> [ImageTile] {
        guard !images.isEmpty else { return [] }
        let statements = [
            ImageRows.images(images), IndexStatements.standings(of: images), TileStatements.labels(of: images),
            IndexStatements.votes(of: images), TileStatements.disagreement(of: images),
        ]
        return try await replica.run { connection in
            let answers = try connection.transaction(.snapshot, statements)
            let known = ImageRows.images(answers[0])
            let standings = IndexStatements.standings(answers[1])
            let labels = TileStatements.labels(answers[2])
            let votes = IndexStatements.votes(answers[3])
            let disagreement = Dictionary(answers[4].map { ($0.integer(0) ?? 0, $0.flag(1)) }) { first, _ in first }
            return images.compactMap { id in
                known[id].map {
                    ImageTile(
                        image: $0, labels: labels[id] ?? [], votes: votes[id], standing: standings[id] ?? .init(),
                        expected: query.expected, disagrees: disagreement[id])
                }
            }
        }
    }

    // MARK: One image

    /// All rows of `results` of an image, the newest first.
    public func history(of image: ImageID, limit: Int) async throws -> [ResultSummary] {
        let statement = Statement(
            """
            SELECT result_id, service, status, processing_time, extract(epoch FROM result_created::timestamptz), worker_id,
                CASE WHEN status = 'error' THEN jsonb_build_object('error', data -> 'error') END
            FROM results WHERE image_id = $1::bigint ORDER BY result_id + 0 DESC LIMIT $2::bigint
            """, .integer(image), .integer(max(0, limit)))
        return try await replica.run { connection in
            try connection.run([statement])[0].map { row in
                ResultSummary(
                    resultID: row.integer(0) ?? 0, service: row.text(1) ?? "",
                    status: row.text(2).flatMap(ResultStatus.init) ?? .error, processingTime: row.real(3) ?? 0,
                    created: row.time(4) ?? Date(timeIntervalSince1970: 0), workerID: row.text(5) ?? "",
                    error: row.json(6).flatMap { ResultSummary.error(in: $0) })
            }
        }
    }

    /// A row of `results` of this image.
    public func result(_ resultID: Int, of image: ImageID) async throws -> StoredResult? {
        let statement = Statement(
            """
            SELECT image_id, result_id, service, data, status, processing_time,
                extract(epoch FROM result_created::timestamptz)
            FROM results WHERE result_id = $1::bigint AND image_id = $2::bigint
            """, .integer(resultID), .integer(image))
        return try await replica.run { ImageRows.results(try $0.run([statement])[0])[image]?.first }
    }

    /// The newest rows of each image and service.
    public func recentResults(of images: [ImageID], perService: Int) async throws -> [ImageID: [StoredResult]] {
        guard !images.isEmpty else { return [:] }
        let statement = Statement(
            """
            SELECT r.image_id, r.result_id, r.service, jsonb_build_object('predictions', r.data -> 'predictions',
                    'error', r.data -> 'error'), r.status, r.processing_time,
                extract(epoch FROM r.result_created::timestamptz)
            FROM (SELECT result_id, row_number() OVER (PARTITION BY image_id, service ORDER BY result_id DESC) AS place
                FROM results WHERE image_id = ANY($1::bigint[]) AND service IS NOT NULL) n
            JOIN results r ON r.result_id = n.result_id
            WHERE n.place <= $2::bigint ORDER BY r.image_id, r.service COLLATE "C", r.result_id DESC
            """, .integers(images), .integer(max(0, perService)))
        return try await replica.run { ImageRows.results(try $0.run([statement])[0]) }
    }

    /// Images of the newest rows.
    public func recentlyAnswered(limit: Int) async throws -> [ImageID] {
        let statement = Statement(
            """
            SELECT image_id FROM (SELECT image_id, result_id FROM results ORDER BY result_id DESC
                LIMIT $1::bigint * \(ImageSearch.rowsPerImage)) r
            WHERE image_id IS NOT NULL GROUP BY image_id ORDER BY max(result_id) DESC LIMIT $1::bigint
            """, .integer(max(0, limit)))
        return try await replica.run { try $0.run([statement])[0].compactMap { $0.integer(0) } }
    }

    // MARK: What can be looked for

    /// Groups of images, from one to the next by the index.
    public func groups(limit: Int) async throws -> [String] {
        let statement = Statement(
            """
            WITH RECURSIVE groups AS (
                (SELECT image_group FROM images WHERE image_group IS NOT NULL ORDER BY image_group LIMIT 1)
                UNION ALL SELECT (SELECT i.image_group FROM images i WHERE i.image_group > g.image_group
                    ORDER BY i.image_group LIMIT 1) FROM groups g WHERE g.image_group IS NOT NULL)
            SELECT image_group FROM (SELECT image_group FROM groups LIMIT $1::bigint) n
            WHERE image_group <> '' ORDER BY image_group COLLATE "C"
            """, .integer(max(0, limit)))
        return try await replica.run { try $0.run([statement])[0].compactMap { $0.text(0) } }
    }

    /// Labels that begin with a text.
    public func labels(beginning text: String, limit: Int) async throws -> [String] {
        let start = IndexTag.label(text)
        let statement = Statement(
            """
            SELECT substr(tag, \(IndexTag.labelStart.count + 1)) FROM farm_image_tags
            WHERE tag >= $1::text AND starts_with(tag, $1::text) AND tag < '\(IndexTag.labelStart.dropLast());'
            ORDER BY tag LIMIT $2::bigint
            """, .text(start), .integer(max(0, limit)))
        return try await replica.run { try $0.run([statement])[0].compactMap { $0.text(0) } }
    }
}

extension Rows {
    fileprivate func compactMap<Value>(_ value: (Row) -> Value?) -> [Value] { map(value).compactMap { $0 } }
}

/// A search, once the index has told what its names stand for.
private struct Search: Sendable {
    private let pool: ConnectionPool
    private let search: SearchQuery
    private let driver: SearchQuery.Driver

    /// Rows up to which drivers are counted, to find the one with the fewest.
    private static let countLimit = 2000

    init(_ query: ImageQuery, _ pool: ConnectionPool) async throws {
        self.pool = pool
        (search, driver) = try await pool.run { connection in
            let search = SearchQuery(query: query, resolved: try Search.resolve(query, connection))
            let drivers = search.isEmpty ? [] : search.drivers
            guard drivers.count > 1 else { return (search, drivers.first ?? .images) }
            let row = try connection.run([SearchQuery.sizes(drivers, upTo: Search.countLimit)])[0].first
            let sizes = drivers.indices.map { row?.integer(Int32($0)) ?? 0 }
            let best = drivers.indices.min { sizes[$0] < sizes[$1] } ?? 0
            return (search, drivers[best])
        }
    }

    private static func resolve(_ query: ImageQuery, _ connection: PostgreSQLConnection) throws -> SearchQuery.Resolved
    {
        let rules = query.tagRules
        var resolved = SearchQuery.Resolved(tags: [])
        if !rules.isEmpty {
            let names = Statement(
                "SELECT tag, tag_id FROM farm_image_tags WHERE tag = ANY($1::text[])", .texts(rules.flatMap(\.tags)))
            let rows = try connection.run([names])[0].map { ($0.text(0) ?? "", $0.integer(1) ?? 0) }
            let ids = Dictionary(rows) { first, _ in first }
            resolved.tags = rules.map { ($0.tags.compactMap { ids[$0] }, $0.minimum) }
        }
        if query.asksForStanding {
            let states = try connection.run([Statement("SELECT state_id, standing FROM farm_image_states")])[0]
            resolved.states = states.compactMap { row in
                row.json(1).flatMap { query.matches(ImageStanding($0)) ? row.integer(0) : nil }
            }
        }
        return resolved
    }

    func find(_ order: ImageOrder, after: ImageID?, limit: Int, bound: Int) async throws -> FoundImages {
        guard !search.isEmpty else { return FoundImages() }
        let start = after ?? (order == .newestFirst ? .max : -1)
        let widest = max(limit, 200_000 / driver.width)
        return try await FoundImages.search(from: start, limit: limit, bound: bound, largest: widest) { place, size in
            let part = search.part(driver, order, after: place, size: size)
            let row = try await pool.run { connection in
                try connection.run([part])[0].first.map { ($0.text(0), $0.integer(1), $0.integer(2)) }
            }
            return SearchedPart(
                matches: (row?.0 ?? "").split(separator: ",").compactMap { ImageID($0) }, last: row?.1,
                count: row?.2 ?? 0)
        }
    }
}

/// What a grid shows beside the rows of `images`.
enum TileStatements {
    /// Labels of fused boxes, with how many have them and the highest mean confidence. Another program's may have any shape.
    static func labels(of ids: [ImageID]) -> Statement {
        Statement(
            """
            SELECT image_id, merged_data ->> 'label', count(*), max(CASE jsonb_typeof(merged_data -> 'avg_confidence')
                WHEN 'number' THEN (merged_data ->> 'avg_confidence')::float8 ELSE 0 END) AS confidence
            FROM merged_boxes WHERE image_id = ANY($1::bigint[]) AND jsonb_typeof(merged_data -> 'label') = 'string'
            GROUP BY 1, 2 ORDER BY 1, confidence DESC, 2
            """, .integers(ids))
    }

    static func labels(_ rows: Rows) -> [ImageID: [ImageTile.Label]] {
        Dictionary(grouping: rows.map { $0 }) { $0.integer(0) ?? 0 }.mapValues { rows in
            rows.map {
                ImageTile.Label(label: $0.text(1) ?? "", boxes: $0.integer(2) ?? 0, confidence: $0.real(3) ?? 0)
            }
        }
    }

    static func disagreement(of ids: [ImageID]) -> Statement {
        Statement(
            """
            SELECT f.image_id, s.standing -> 'disagrees' = 'true' FROM farm_indexed_images f
            JOIN farm_image_states s ON s.state_id = f.state_id WHERE f.image_id = ANY($1::bigint[])
            """, .integers(ids))
    }
}
