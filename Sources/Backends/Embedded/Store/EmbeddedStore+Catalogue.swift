import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// Adds the images that are not there.
    public func add(_ images: [NewImage], move: Bool, update: Bool) async throws -> ImportAnswer {
        guard !images.isEmpty else { return ImportAnswer() }
        let images = try images.map { try $0.fitting(place: file.place) }
        return try await file.write { database in
            var answer = ImportAnswer()
            for image in images {
                if let path = image.path { try EmbeddedStore.forgetRefusal(of: path, database) }
                guard let known = try EmbeddedStore.known(image, database) else {
                    answer.counts.added += 1
                    answer.ids.append(try EmbeddedStore.insert(image, database))
                    continue
                }
                answer.ids.append(known.id)
                answer.counts.existing += 1
                if move, let group = image.group, group != known.group {
                    try database.run("UPDATE images SET image_group = ? WHERE image_id = ?", [group, known.id])
                    answer.counts.moved += 1
                }
                guard let difference = ImageDifference(known, image) else { continue }
                answer.differences.append(difference)
                guard update else { continue }
                let new = difference.written
                try database.run(
                    "UPDATE images SET image_path = ?, image_url = ?, image_filename = ? WHERE image_id = ?",
                    [new.path, new.url, new.filename, known.id])
            }
            return answer
        }
    }

    /// Looks for the image by its path; without a path, by its URL; without either, by its filename.
    private static func known(_ image: NewImage, _ database: Database) throws -> Image? {
        func find(_ column: String, _ value: String?) throws -> Image? {
            guard let value else { return nil }
            return try database.first(
                "SELECT \(ImageRows.imageColumns) FROM images WHERE \(column) = ? ORDER BY image_id LIMIT 1", [value],
                ImageRows.image)
        }
        if let known = try find("image_path", image.path) ?? find("image_url", image.url) { return known }
        return image.path == nil && image.url == nil ? try find("image_filename", image.filename) : nil
    }

    private static func insert(_ image: NewImage, _ database: Database) throws -> ImageID {
        try database.run(
            "INSERT INTO images (image_filename, image_path, image_url, image_group) VALUES (?, ?, ?, ?)",
            [image.filename, image.path, image.url, image.group])
        return ImageID(database.lastInsertedRowID)
    }

    /// Gives a group to all images that have none.
    public func assignGroup(_ group: String) async throws -> Int {
        try await file.write {
            try $0.run("UPDATE images SET image_group = ? WHERE image_group IS NULL OR image_group = ''", [group])
        }
    }

    /// The next images by ascending id.
    public func images(_ filter: ImageFilter, after: ImageID, limit: Int) async throws -> [ListedImage] {
        try await file.read { database in
            let query = CatalogueQuery(filter)
            return try database.all(
                """
                SELECT \(ImageRows.imageColumns), lacking FROM (\(query.sql)) WHERE image_id > ? \(query.condition)
                ORDER BY image_id LIMIT ?
                """, query.arguments + [after, max(0, limit)]
            ) { row in
                ListedImage(
                    image: ImageRows.image(row), lacking: (row.json(5).arrayValue ?? []).compactMap(\.stringValue))
            }
        }
    }

    /// How many images match.
    public func count(_ filter: ImageFilter) async throws -> Int {
        try await file.read { database in
            let query = CatalogueQuery(filter)
            return try database.integer(
                "SELECT count(*) FROM (\(query.sql)) WHERE 1 \(query.condition)", query.arguments) ?? 0
        }
    }

    /// How many images have a final error as their newest result, by service.
    public func finalErrors(_ filter: ImageFilter, of services: [String]) async throws -> [String: Int] {
        let all = ImageFilter(group: filter.group, ids: filter.ids)
        return try await file.read { database in
            let query = CatalogueQuery(all)
            let counts = try database.all(
                """
                SELECT r.service, count(*) FROM results r
                WHERE r.service IN (SELECT value FROM json_each(?)) AND \(AnswerRule.isFinalError)
                AND NOT EXISTS (SELECT 1 FROM results s
                    WHERE s.image_id = r.image_id AND s.service = r.service AND s.status = 'success')
                AND r.image_id IN (SELECT image_id FROM (\(query.sql))) GROUP BY r.service
                """, [SQLiteValues.list(services)] + query.arguments
            ) { ($0.text(0) ?? "", $0.integer(1) ?? 0) }
            return Dictionary(counts) { first, _ in first }
        }
    }

    /// How many answers these services lack. The rows of an image are next to each other in the index, so for most
    /// images one look shows that nothing is missing.
    public func lack(of services: [String], in group: String?, failed: Bool, limit: Int?) async throws -> Lack {
        let services = Array(Set(services))
        let names = SQLiteValues.list(services)
        return try await file.read { database in
            var lack = Lack()
            let open = try database.all(
                """
                SELECT image_id, services FROM (SELECT i.image_id, \(AnswerRule.successes(of: "?1")) AS services
                    FROM images i WHERE ?2 IS NULL OR i.image_group = ?2)
                WHERE services < ?3 ORDER BY image_id
                """, [names, group, services.count]
            ) { ($0.integer(0) ?? 0, $0.integer(1) ?? 0) }
            // The failed ones are few, and are read once.
            let failures = failed ? [] : try EmbeddedStore.finals(of: names, in: group, database)
            let finals = failures.reduce(into: [:]) { $0[$1.image, default: 0] += 1 }
            for (_, service) in failures { lack.failed[service, default: 0] += 1 }
            for (image, answered) in open {
                let jobs = services.count - answered - finals[image, default: 0]
                guard jobs > 0, lack.images < limit ?? .max else { continue }
                lack.images += 1
                lack.jobs += jobs
            }
            return lack
        }
    }

    /// What failed for good and never succeeded.
    private static func finals(of names: String, in group: String?, _ database: Database) throws
        -> [(image: ImageID, service: String)]
    {
        try database.all(
            """
            SELECT r.image_id, r.service FROM results r
            WHERE r.service IN (SELECT value FROM json_each(?1)) AND \(AnswerRule.isFinalError)
            AND NOT EXISTS (SELECT 1 FROM results s
                WHERE s.image_id = r.image_id AND s.service = r.service AND s.status = 'success')
            AND r.image_id IN (SELECT image_id FROM images WHERE ?2 IS NULL OR image_group = ?2)
            """, [names, group]
        ) { (image: $0.integer(0) ?? 0, service: $0.text(1) ?? "") }
    }

    /// The largest id. 0 if there is no image.
    public func newestID() async throws -> ImageID {
        try await file.read { try $0.integer("SELECT max(image_id) FROM images") ?? 0 }
    }

    /// The largest result_id. 0 if there is no result.
    public func newestResultID() async throws -> Int {
        try await file.read { try $0.integer("SELECT max(result_id) FROM results") ?? 0 }
    }

    /// All images with this id (digits), absolute path, URL or filename.
    public func find(_ text: String) async throws -> [Image] {
        let id = text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
        return try await file.read { database in
            try database.all(
                """
                SELECT \(ImageRows.imageColumns) FROM images
                WHERE image_id = ?1 OR image_path = ?2 OR image_url = ?2 OR image_filename = ?2 ORDER BY image_id
                """, [id, text], ImageRows.image)
        }
    }
}

/// The images of a filter, each with the services that it lacks as a JSON array.
private struct CatalogueQuery {
    var sql = "SELECT \(ImageRows.imageColumns), "
    var condition = ""
    var arguments = StatementArguments()

    init(_ filter: ImageFilter) {
        if let lacking = filter.lacking {
            sql += """
                (SELECT json_group_array(value) FROM (SELECT DISTINCT value FROM json_each(?)) s WHERE NOT EXISTS (
                    SELECT 1 FROM results r WHERE r.image_id = i.image_id AND r.service = s.value AND \(filter.answers.condition)))
                """
            arguments += [SQLiteValues.list(lacking)]
            condition = "AND lacking <> '[]'"
        } else {
            sql += "'[]'"
        }
        sql += " AS lacking FROM images i WHERE 1"
        if let group = filter.group {
            sql += " AND image_group = ?"
            arguments += [group]
        }
        if let ids = filter.ids {
            sql += " AND image_id IN (SELECT value FROM json_each(?))"
            arguments += [SQLiteValues.list(ids)]
        }
        if let lacking = filter.lacking.map(Set.init), filter.answers.takesSuccess {
            sql += " AND \(AnswerRule.successes(of: "?")) < ?"
            arguments += [SQLiteValues.list(Array(lacking)), lacking.count]
        }
    }
}

extension AnswerRule {
    /// A condition on the row `r` of results.
    fileprivate var condition: String {
        switch self {
        case .success: "r.status = 'success'"
        case .newer(let id): "r.result_id > \(id)"
        case .settled: "(r.status = 'success' OR \(AnswerRule.isFinalError))"
        case .successOrNewer(let id): "(r.status = 'success' OR r.result_id > \(id))"
        case .settledOrNewer(let id): "(r.status = 'success' OR r.result_id > \(id) OR \(AnswerRule.isFinalError))"
        }
    }

    /// How many of the services in a JSON array have a success for image `i`. It is one look at rows that are next to
    /// each other in the index, and not one look for each service.
    fileprivate static func successes(of names: String) -> String {
        """
        (SELECT count(DISTINCT r.service) FROM results r WHERE r.image_id = i.image_id AND +r.status = 'success'
            AND +r.service IN (SELECT value FROM json_each(\(names))))
        """
    }

    /// Whether the row `r` is the newest of its image and service, and a final error.
    fileprivate static let isFinalError: String = {
        func member(_ name: String) -> String { "json_extract(r.data, '$.error.\(name)')" }
        func list(_ values: [String]) -> String { values.joined(separator: ", ") }
        let kinds = list(FinalErrors.kinds.map { "'\($0)'" })
        let statuses = list(FinalErrors.passingStatuses.map(String.init))
        return """
            (r.status = 'error' AND json_valid(r.data) AND (\(member("kind")) IN (\(kinds))
                OR \(member("kind")) = '\(FinalErrors.untriedKind)' AND coalesce(\(member("tries")), 0) = 0
                OR \(member("kind")) = '\(FinalErrors.statusKind)' AND \(member("http_status")) BETWEEN 400 AND 499
                    AND \(member("http_status")) NOT IN (\(statuses)))
            AND NOT EXISTS (SELECT 1 FROM results n
                WHERE n.image_id = r.image_id AND n.service = r.service AND n.result_id > r.result_id))
            """
    }()
}
