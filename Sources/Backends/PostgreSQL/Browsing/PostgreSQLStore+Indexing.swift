import Foundation
import Model
import Pipeline

extension PostgreSQLStore: ImageIndexing {
    /// What has come in since the tables were followed last, else a part of all images, of both what is not as it was indexed.
    public func indexWork(limit: Int) async throws -> IndexWork {
        try await primary.run { connection in
            let marks = IndexStatements.marks(try connection.run([IndexStatements.marks])[0])
            guard !marks.isEmpty else {
                // The images one by one; what comes in meanwhile is followed from here.
                let newest = try connection.run([IndexStatements.newest])[0].first
                var marks = [IndexTables.verified: 0]
                for (place, table) in IndexTables.followed.enumerated() {
                    marks[table.0] = table.0 == "images" ? 0 : newest?.integer(Int32(place)) ?? 0
                }
                return IndexWork(images: [], marks: marks, isBehind: true)
            }
            let followed = try connection.run(IndexStatements.following(marks, limit: limit))
            var (ids, next, isBehind) = (Set<ImageID>(), marks, false)
            for (table, rows) in zip(IndexTables.followed, followed) {
                for index in 0..<rows.count {
                    if let image = rows[index].integer(1) { ids.insert(image) }
                }
                if rows.count > 0 { next[table.0] = rows[rows.count - 1].integer(0) }
                isBehind = isBehind || rows.count >= limit
            }
            if followed.allSatisfy({ $0.count == 0 }) {
                let after = marks[IndexTables.verified] ?? 0
                let images = try connection.run([IndexStatements.images(after: after, limit: limit)])[0]
                    .map { $0.integer(0) ?? 0 }
                let last = images.count < limit ? nil : images.last
                // In the same range, what is indexed and gone.
                let known = IndexStatements.indexed(after: after, upTo: last ?? .max, limit: limit * 4)
                ids = Set(images + (try connection.run([known])[0].map { $0.integer(0) ?? 0 }))
                next[IndexTables.verified] = last ?? 0
            }
            let changed = ids.isEmpty ? [] : try IndexStatements.versions(of: ids.sorted(), connection)
            return IndexWork(images: changed, marks: next, isBehind: isBehind || !changed.isEmpty)
        }
    }

    /// What the facts of these images are made of.
    public func material(of images: [ImageID], detectors: [String]) async throws -> [ImageMaterial] {
        guard !images.isEmpty else { return [] }
        let statements = [
            ImageRows.images(images), IndexStatements.standings(of: images),
            ImageRows.successes(images, of: detectors), ImageRows.boxes(images), IndexStatements.votes(of: images),
        ]
        return try await primary.run { connection in
            let answers = try connection.transaction(.snapshot, statements)
            let known = ImageRows.images(answers[0])
            let standings = IndexStatements.standings(answers[1])
            let (results, boxes) = (ImageRows.results(answers[2]), ImageRows.boxes(answers[3]))
            let votes = IndexStatements.votes(answers[4])
            return images.filter { known[$0] != nil }.map { id in
                ImageMaterial(
                    imageID: id, answered: standings[id]?.answered ?? [], failed: standings[id]?.failed ?? [],
                    detections: results[id] ?? [], boxes: boxes[id] ?? [],
                    consensus: votes[id].map { .object(["votes": .object(["consensus": $0])]) })
            }
        }
    }

    /// Writes facts in place of those that are there, under a lock: two who index at once do not stand in each other's way.
    public func index(_ facts: [ImageFacts], for work: IndexWork) async throws {
        let writing = IndexWriting(facts, work)
        try await primary.run { connection in
            try connection.transaction(.current, writing.reading) { answers in
                ((), writing.statements(Array(answers.suffix(3))))
            }
        }
    }

    /// How far the index lags behind.
    public func indexLag() async throws -> IndexLag {
        try await replica.run { connection in
            let answers = try connection.run([IndexStatements.marks, IndexStatements.newest])
            let marks = IndexStatements.marks(answers[0])
            func behind(_ place: Int) -> Int {
                let newest = answers[1].first?.integer(Int32(place)) ?? 0
                return max(0, newest - (marks[IndexTables.followed[place].0] ?? 0))
            }
            return IndexLag(images: behind(0), rows: behind(1) + behind(3))
        }
    }
}

/// What keeping the index asks.
enum IndexStatements {
    static let marks = Statement("SELECT relation, mark FROM farm_index_marks")

    static func marks(_ rows: Rows) -> [String: Int] {
        Dictionary(rows.map { ($0.text(0) ?? "", $0.integer(1) ?? 0) }) { first, _ in first }
    }

    /// The largest id of each table that is followed.
    static let newest = Statement(
        "SELECT " + IndexTables.followed.map { "coalesce((SELECT max(\($1)) FROM \($0)), 0)" }.joined(separator: ", "))

    /// The next rows of each table, with their images.
    static func following(_ marks: [String: Int], limit: Int) -> [Statement] {
        IndexTables.followed.map { table, key in
            Statement(
                "SELECT \(key), image_id FROM \(table) WHERE \(key) > $1::bigint ORDER BY \(key) LIMIT $2::bigint",
                .integer(marks[table] ?? 0), .integer(limit))
        }
    }

    static func images(after: ImageID, limit: Int) -> Statement {
        Statement(
            "SELECT image_id FROM images WHERE image_id > $1::bigint ORDER BY image_id LIMIT $2::bigint",
            .integer(after), .integer(limit))
    }

    static func indexed(after: ImageID, upTo last: ImageID, limit: Int) -> Statement {
        Statement(
            """
            SELECT image_id FROM farm_indexed_images WHERE image_id > $1::bigint AND image_id <= $2::bigint
            ORDER BY image_id LIMIT $3::bigint
            """, .integer(after), .integer(last), .integer(limit))
    }

    /// The images of these whose rows are not the ones that were indexed. (A sum hides from the server that the largest id of all
    /// might be the one: it would read the table from its end.)
    static func versions(of ids: [ImageID], _ connection: PostgreSQLConnection) throws -> [ImageVersion] {
        let statement = Statement(
            """
            SELECT c.image_id, r.id, b.id, b.n, k.id FROM unnest($1::bigint[]) AS c(image_id)
            LEFT JOIN images i ON i.image_id = c.image_id
            LEFT JOIN farm_indexed_images f ON f.image_id = c.image_id
            CROSS JOIN LATERAL (SELECT coalesce(max(result_id + 0), 0) AS id FROM results WHERE image_id = c.image_id) r
            CROSS JOIN LATERAL (SELECT coalesce(max(merged_id + 0), 0) AS id, count(*) AS n FROM merged_boxes
                WHERE image_id = c.image_id) b
            CROSS JOIN LATERAL (SELECT coalesce(max(consensus_id + 0), 0) AS id FROM consensus
                WHERE image_id = c.image_id) k
            WHERE CASE WHEN i.image_id IS NULL THEN f.image_id IS NOT NULL
                ELSE (f.result_id, f.merged_id, f.boxes, f.consensus_id) IS DISTINCT FROM (r.id, b.id, b.n, k.id) END
            """, .integers(ids))
        return try connection.run([statement])[0].map { row in
            ImageVersion(
                imageID: row.integer(0) ?? 0, resultID: row.integer(1) ?? 0, mergedID: row.integer(2) ?? 0,
                boxes: row.integer(3) ?? 0, consensusID: row.integer(4) ?? 0)
        }
    }

    // MARK: What is known of images

    /// The largest id for each image, service and status.
    static func standings(of ids: [ImageID]) -> Statement {
        Statement(
            """
            SELECT image_id, service, status, max(result_id) FROM results
            WHERE image_id = ANY($1::bigint[]) AND service IS NOT NULL GROUP BY image_id, service, status
            """, .integers(ids))
    }

    static func standings(_ rows: Rows) -> [ImageID: ImageStanding] {
        Dictionary(grouping: rows.map { $0 }) { $0.integer(0) ?? 0 }.mapValues { rows in
            ImageStanding(newest: rows.map { ($0.text(1) ?? "", $0.text(2), $0.integer(3) ?? 0) })
        }
    }

    /// Emoji and votes of each consensus, in its order.
    static func votes(of ids: [ImageID]) -> Statement {
        Statement(
            """
            SELECT DISTINCT ON (c.image_id) c.image_id, coalesce((SELECT jsonb_agg(
                jsonb_build_object('emoji', e.entry -> 'emoji', 'votes', e.entry -> 'votes') ORDER BY e.place)
                FROM jsonb_array_elements(CASE jsonb_typeof(c.consensus_data #> '{votes,consensus}')
                    WHEN 'array' THEN c.consensus_data #> '{votes,consensus}' END) WITH ORDINALITY AS e(entry, place)), '[]')
            FROM consensus c WHERE c.image_id = ANY($1::bigint[]) ORDER BY c.image_id, c.consensus_id DESC
            """, .integers(ids))
    }

    static func votes(_ rows: Rows) -> [ImageID: JSON] {
        Dictionary(rows.map { ($0.integer(0) ?? 0, $0.json(1) ?? .null) }) { first, _ in first }
    }
}
