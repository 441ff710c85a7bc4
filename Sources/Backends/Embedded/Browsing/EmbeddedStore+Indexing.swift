import GRDB
import Model
import Pipeline

extension EmbeddedStore: ImageIndexing {
    /// What has come in since the tables were followed last, else a part of all images, of both what is not as it was indexed.
    public func indexWork(limit: Int) async throws -> IndexWork {
        try await file.read { try IndexRows($0).work(limit: limit) }
    }

    /// What the facts of these images are made of.
    public func material(of images: [ImageID], detectors: [String]) async throws -> [ImageMaterial] {
        try await file.read { database in
            let (rows, index) = (ImageRows(database), IndexRows(database))
            return try images.compactMap { id in
                guard try rows.image(id) != nil else { return nil }
                let standing = try index.standing(of: id)
                return ImageMaterial(
                    imageID: id, answered: standing.answered, failed: standing.failed,
                    detections: try rows.successes(id, of: detectors), boxes: try rows.boxes(id),
                    consensus: try index.votes(of: id).map { .object(["votes": .object(["consensus": $0])]) })
            }
        }
    }

    /// Writes facts in place of those that are there.
    public func index(_ facts: [ImageFacts], for work: IndexWork) async throws {
        let known = Dictionary(facts.map { ($0.imageID, $0) }) { first, _ in first }
        try await file.write { database in
            let index = IndexRows(database)
            for version in work.images { try index.write(known[version.imageID], version) }
            try index.note(work.marks)
        }
    }

    /// How far the index lags behind.
    public func indexLag() async throws -> IndexLag {
        try await file.read { database in
            let index = IndexRows(database)
            let (marks, newest) = (try index.marks(), try index.newest())
            func behind(_ table: String) -> Int { max(0, newest[table, default: 0] - marks[table, default: 0]) }
            return IndexLag(images: behind("images"), rows: behind("results") + behind("consensus"))
        }
    }
}

/// The statements of the index, inside a transaction of the caller's.
struct IndexRows {
    let database: Database

    init(_ database: Database) { self.database = database }

    // MARK: Following

    func marks() throws -> [String: Int] {
        let rows = try database.all("SELECT relation, mark FROM farm_index_marks") {
            ($0.text(0) ?? "", $0.integer(1) ?? 0)
        }
        return Dictionary(rows) { first, _ in first }
    }

    /// The largest id of each table that is followed.
    func newest() throws -> [String: Int] {
        try TableDefinition.followed.reduce(into: [:]) { newest, table in
            newest[table.0] = try database.integer("SELECT max(\(table.1)) FROM \(table.0)") ?? 0
        }
    }

    func work(limit: Int) throws -> IndexWork {
        var marks = try marks()
        guard !marks.isEmpty else {
            // The images one by one; what comes in meanwhile is followed from here.
            marks = try newest()
            (marks["images"], marks[TableDefinition.verified]) = (0, 0)
            return IndexWork(images: [], marks: marks, isBehind: true)
        }
        var (ids, isBehind) = (Set<ImageID>(), false)
        for (table, key) in TableDefinition.followed {
            let rows = try database.all(
                "SELECT \(key), image_id FROM \(table) WHERE \(key) > ? ORDER BY \(key) LIMIT ?",
                [marks[table] ?? 0, limit]
            ) { ($0.integer(0) ?? 0, $0.integer(1)) }
            ids.formUnion(rows.compactMap(\.1))
            if let last = rows.last { marks[table] = last.0 }
            isBehind = isBehind || rows.count >= limit
        }
        if ids.isEmpty {
            let after = marks[TableDefinition.verified] ?? 0
            let images = try database.all(
                "SELECT image_id FROM images WHERE image_id > ? ORDER BY image_id LIMIT ?", [after, limit]
            ) { $0.integer(0) ?? 0 }
            let last = images.count < limit ? nil : images.last
            // In the same range, what is indexed and gone.
            let known = try database.all(
                """
                SELECT image_id FROM farm_indexed_images WHERE image_id > ? AND image_id <= ? ORDER BY image_id LIMIT ?
                """, [after, last ?? .max, limit * 4]
            ) { $0.integer(0) ?? 0 }
            ids = Set(images + known)
            marks[TableDefinition.verified] = last ?? 0
        }
        let changed = try ids.sorted().compactMap(changedVersion)
        return IndexWork(images: changed, marks: marks, isBehind: isBehind || !changed.isEmpty)
    }

    /// The rows that the image's facts would rest on; nil where they do.
    private func changedVersion(of id: ImageID) throws -> ImageVersion? {
        func of(_ sql: String) throws -> (Int, Int) {
            try database.first(sql, [id]) { ($0.integer(0) ?? 0, $0.integer(1) ?? 0) } ?? (0, 0)
        }
        let results = try of("SELECT max(result_id), 0 FROM results WHERE image_id = ?")
        let boxes = try of("SELECT max(merged_id), count(*) FROM merged_boxes WHERE image_id = ?")
        let consensus = try of("SELECT max(consensus_id), 0 FROM consensus WHERE image_id = ?")
        let version = ImageVersion(
            imageID: id, resultID: results.0, mergedID: boxes.0, boxes: boxes.1, consensusID: consensus.0)
        let known = try database.first(
            "SELECT result_id, merged_id, boxes, consensus_id FROM farm_indexed_images WHERE image_id = ?", [id]
        ) {
            ImageVersion(
                imageID: id, resultID: $0.integer(0) ?? 0, mergedID: $0.integer(1) ?? 0, boxes: $0.integer(2) ?? 0,
                consensusID: $0.integer(3) ?? 0)
        }
        guard try database.exists("SELECT 1 FROM images WHERE image_id = ?", [id]) else {
            return known == nil ? nil : version
        }
        return known == version ? nil : version
    }

    // MARK: What is known of an image

    func standing(of id: ImageID) throws -> ImageStanding {
        ImageStanding(
            newest: try database.all(
                """
                SELECT service, status, max(result_id) FROM results WHERE image_id = ? AND service IS NOT NULL
                GROUP BY service, status
                """, [id]
            ) { ($0.text(0) ?? "", $0.text(1), $0.integer(2) ?? 0) })
    }

    /// Emoji and votes of its consensus, in the order of it; nil where there is none.
    func votes(of id: ImageID) throws -> JSON? {
        try database.first(
            "SELECT consensus_data FROM consensus WHERE image_id = ? ORDER BY consensus_id DESC LIMIT 1", [id]
        ) { row in
            let entries = row.json(0, reading: .member("votes"))["votes"]?["consensus"]?.arrayValue ?? []
            return .array(
                entries.map { .object(["emoji": $0["emoji"] ?? .null, "votes": $0["votes"] ?? .null]) })
        }
    }

    // MARK: Writing

    /// - Parameter facts: nil: the image is gone.
    func write(_ facts: ImageFacts?, _ version: ImageVersion) throws {
        let id = version.imageID
        let old = try database.first("SELECT tags FROM farm_indexed_images WHERE image_id = ?", [id]) {
            ($0.json(0).arrayValue ?? []).compactMap(\.integerValue)
        }
        var tags: [Int: Double] = [:]
        for tag in facts?.tags ?? [] { tags[try tagID(tag.tag)] = tag.value }
        for tag in old ?? [] where tags[tag] == nil {
            try database.run("DELETE FROM farm_tagged_images WHERE tag_id = ? AND image_id = ?", [tag, id])
        }
        guard let facts else {
            try database.run("DELETE FROM farm_indexed_images WHERE image_id = ?", [id])
            return
        }
        for (tag, value) in tags.sorted(by: { $0.key < $1.key }) {
            try database.run(
                """
                INSERT INTO farm_tagged_images (tag_id, image_id, value) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value
                """, [tag, id, value])
        }
        try database.run(
            """
            INSERT INTO farm_indexed_images (image_id, state_id, votes, sureness, confidence, boxes, result_id, merged_id,
                consensus_id, tags)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET state_id = excluded.state_id, votes = excluded.votes, sureness = excluded.sureness,
                confidence = excluded.confidence, boxes = excluded.boxes, result_id = excluded.result_id,
                merged_id = excluded.merged_id, consensus_id = excluded.consensus_id, tags = excluded.tags
            """,
            [
                id, try stateID(facts.standing), min(facts.votes, ImageFacts.mostVotes), facts.sureness,
                facts.confidence, version.boxes, version.resultID, version.mergedID, version.consensusID,
                SQLiteValues.list(tags.keys.sorted()),
            ])
    }

    private func tagID(_ tag: String) throws -> Int {
        try id("farm_image_tags", "tag_id", "tag", tag)
    }

    private func stateID(_ standing: ImageStanding) throws -> Int {
        try id("farm_image_states", "state_id", "standing", standing.json.text)
    }

    private func id(_ table: String, _ key: String, _ column: String, _ text: String) throws -> Int {
        let known = "SELECT \(key) FROM \(table) WHERE \(column) = ?"
        if let id = try database.integer(known, [text]) { return id }
        try database.run("INSERT INTO \(table) (\(column)) VALUES (?)", [text])
        return try database.integer(known, [text]) ?? 0
    }

    /// An image whose rows are deleted is looked at again. An index that rests on other rows than these is not as it should be,
    /// whatever rows there are.
    func lose(_ image: ImageID) throws {
        guard try database.run("UPDATE farm_indexed_images SET result_id = -1 WHERE image_id = ?", [image]) > 0 else {
            return
        }
        try database.run("INSERT INTO farm_index_losses (image_id) VALUES (?)", [image])
    }

    /// Marks only go on, but for that of the looking through, which begins anew.
    func note(_ marks: [String: Int]) throws {
        try database.run("DELETE FROM farm_index_losses WHERE loss_id <= ?", [marks["farm_index_losses"] ?? 0])
        // These have lost rows since they were read: what was just written may rest on those rows.
        try database.run(
            """
            UPDATE farm_indexed_images SET result_id = -1 WHERE image_id IN (SELECT image_id FROM farm_index_losses)
            """)
        for (relation, mark) in marks {
            try database.run(
                """
                INSERT INTO farm_index_marks (relation, mark) VALUES (?1, ?2) ON CONFLICT DO UPDATE
                SET mark = CASE WHEN relation = '\(TableDefinition.verified)' THEN ?2 ELSE max(mark, ?2) END
                """, [relation, mark])
        }
    }
}
