import Model
import Pipeline

extension PostgreSQLStore {
    /// Adds the images that are not there.
    public func add(_ images: [NewImage], move: Bool, update: Bool) async throws -> ImportAnswer {
        guard !images.isEmpty else { return ImportAnswer() }
        let images = try images.map { try $0.fitting(place: place) }
        return try await primary.run { connection in
            try connection.rollingBack {
                let known = try connection.run([Locks.imports] + ImportLedger.questions(images), beginning: .current)
                var ledger = ImportLedger(known: known.dropFirst())
                let places = images.map { ledger.enter($0, move: move, update: update) }
                let accepted = PostgreSQLStore.forgetRefusals(of: images.compactMap(\.path))
                let answers = try connection.run(ledger.statements + [accepted, Statement("COMMIT")])
                return try ledger.answer(places, answers, place: connection.server.place)
            }
        }
    }

    /// Gives a group to all images that have none.
    public func assignGroup(_ group: String) async throws -> Int {
        let statement = Statement(
            "UPDATE images SET image_group = $1::text WHERE image_group IS NULL OR image_group = ''", .text(group))
        return try await primary.run { try $0.run([statement])[0].changed }
    }

    /// The next images by ascending id.
    public func images(_ filter: ImageFilter, after: ImageID, limit: Int) async throws -> [ListedImage] {
        var query = CatalogueQuery(filter)
        query.add("i.image_id > \(query.next("bigint"))", .integer(after))
        let sql = """
            SELECT \(ImageRows.imageColumns), \(query.lacking) \(query.sql) ORDER BY i.image_id \
            LIMIT \(query.next("bigint"))
            """
        let statement = Statement(sql, values: query.values + [.integer(max(0, limit))])
        return try await primary.run { connection in
            try connection.run([statement])[0].map { row in
                ImageRows.image(row).map {
                    ListedImage(image: $0, lacking: (row.json(5)?.arrayValue ?? []).compactMap(\.stringValue))
                }
            }.compactMap { $0 }
        }
    }

    /// How many images match.
    public func count(_ filter: ImageFilter) async throws -> Int {
        let query = CatalogueQuery(filter)
        let statement = Statement("SELECT count(*) \(query.sql)", values: query.values)
        return try await primary.run { try $0.run([statement])[0].first?.integer(0) ?? 0 }
    }

    /// How many images have a final error as their newest result, by service.
    public func finalErrors(_ filter: ImageFilter, of services: [String]) async throws -> [String: Int] {
        var query = CatalogueQuery(ImageFilter(group: filter.group, ids: filter.ids))
        let sql = """
            SELECT r.service, count(*) FROM results r
            WHERE r.service = ANY(\(query.next("text[]"))) AND \(AnswerRule.isFinalError)
            AND NOT EXISTS (SELECT 1 FROM results s
                WHERE s.image_id = r.image_id AND s.service = r.service AND s.status = 'success')
            AND r.image_id IN (SELECT i.image_id \(query.sql)) GROUP BY r.service
            """
        query.values.append(.texts(services))
        let statement = Statement(sql, values: query.values)
        return try await primary.run { connection in
            let counts = try connection.run([statement])[0].map { ($0.text(0) ?? "", $0.integer(1) ?? 0) }
            return Dictionary(counts) { first, _ in first }
        }
    }

    /// The largest id. 0 if there is no image.
    public func newestID() async throws -> ImageID {
        try await primary.run { try $0.run([Statement("SELECT max(image_id) FROM images")])[0].first?.integer(0) ?? 0 }
    }

    /// The largest result_id. 0 if there is no result.
    public func newestResultID() async throws -> Int {
        try await primary.run {
            try $0.run([Statement("SELECT max(result_id) FROM results")])[0].first?.integer(0) ?? 0
        }
    }

    /// All images with this id (digits), absolute path, URL or filename.
    public func find(_ text: String) async throws -> [Image] {
        // PostgreSQL's text cannot hold a NUL.
        guard !text.utf8.contains(0) else { return [] }
        let id = text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
        // The conditions of the indexes of paths and URLs are repeated here.
        let condition = """
            i.image_path = $1::text AND i.image_path <> '' OR i.image_url = $1::text AND i.image_url <> ''
            OR i.image_filename = $1::text
            """
        let sql = """
            SELECT \(ImageRows.imageColumns) FROM images i WHERE \(condition)\(id == nil ? "" : " OR i.image_id = $2::bigint")
            ORDER BY i.image_id
            """
        let statement = Statement(sql, values: [.text(text)] + (id.map { [.integer($0)] } ?? []))
        return try await primary.run { try $0.run([statement])[0].map(ImageRows.image).compactMap { $0 } }
    }
}

/// The images of a filter, each with the services that it lacks as a JSON array.
struct CatalogueQuery {
    var lacking = "'[]'"
    var sql = "FROM images i"
    var values: [Statement.Value] = []

    init(_ filter: ImageFilter) {
        var conditions: [String] = []
        if let services = filter.lacking.map({ Lacking.distinct($0) }) {
            lacking = "to_jsonb(l.services)"
            let names = next("text[]")
            // Most images lack nothing. If a success is an answer, one look for all services shows that.
            let isOpen = filter.answers.takesSuccess ? "d.services < \(services.count)" : "true"
            if filter.answers.takesSuccess { sql += ", \(Lacking.successes(of: names)) d" }
            sql += """
                , LATERAL (SELECT array_agg(s.name ORDER BY s.place) AS services
                    FROM unnest(\(names)) WITH ORDINALITY AS s(name, place)
                    WHERE \(isOpen) AND NOT EXISTS (SELECT 1 FROM results r
                        WHERE r.image_id = i.image_id AND r.service = s.name AND \(filter.answers.condition))) l
                """
            values.append(.texts(services))
            conditions.append("l.services IS NOT NULL")
        }
        sql += " WHERE " + (conditions.first ?? "true")
        if let group = filter.group { add("i.image_group = \(next("text"))", .text(group)) }
        if let ids = filter.ids { add("i.image_id = ANY(\(next("bigint[]")))", .integers(ids)) }
    }

    /// The placeholder of the next parameter.
    func next(_ type: String) -> String { "$\(values.count + 1)::\(type)" }

    mutating func add(_ condition: String, _ value: Statement.Value) {
        sql += " AND " + condition
        values.append(value)
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

    /// Whether the row `r` is the newest of its image and service, and a final error. Numbers are compared as text,
    /// since another program's may not be numbers.
    static let isFinalError: String = {
        func member(_ name: String) -> String { "(r.data -> 'error' ->> '\(name)')" }
        let kinds = FinalErrors.kinds.map { "'\($0)'" }.joined(separator: ", ")
        let statuses = FinalErrors.passingStatuses.map { "'\($0)'" }.joined(separator: ", ")
        return """
            (r.status = 'error' AND (\(member("kind")) IN (\(kinds))
                OR \(member("kind")) = '\(FinalErrors.untriedKind)' AND coalesce(\(member("tries")), '0') = '0'
                OR \(member("kind")) = '\(FinalErrors.statusKind)' AND \(member("http_status")) ~ '^4[0-9][0-9]$'
                    AND \(member("http_status")) NOT IN (\(statuses)))
            AND NOT EXISTS (SELECT 1 FROM results n
                WHERE n.image_id = r.image_id AND n.service = r.service AND n.result_id > r.result_id))
            """
    }()
}
