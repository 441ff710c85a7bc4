import GRDB
import Model
import Pipeline

/// A search in the index: what is looked through in the order of ids, and what else has to be true. Numbers that come from the
/// file stand in the statements; what people give is bound.
struct SearchQuery: Sendable {
    /// Rows of an index that are in the order of `image_id`: one value of its first column, or several.
    enum Driver: Sendable, Equatable {
        case images
        case group(String)
        case tags([Int], minimum: Double?)
        /// A column of `farm_indexed_images` has one of these values.
        case indexed(column: String, [Int])
    }

    /// More selects than that SQLite does not take together.
    private static let mostValues = 400
    /// Rows up to which drivers are counted, to find the one with the fewest.
    private static let countLimit = 2000

    let query: ImageQuery
    /// The tags of each rule of `ImageQuery.tagRules`.
    private let tags: [(ids: [Int], minimum: Double?)]
    /// nil where the standing does not matter.
    private let states: [Int]?
    private let driver: Driver

    /// Nothing can match.
    private let isEmpty: Bool

    /// Asks the index what the names stand for, and which part of it is the smallest.
    init(_ query: ImageQuery, _ database: Database) throws {
        self.query = query
        tags = try query.tagRules.map { rule in
            let ids = try rule.tags.compactMap {
                try database.integer("SELECT tag_id FROM farm_image_tags WHERE tag = ?", [$0])
            }
            return (ids, rule.minimum)
        }
        states =
            !query.asksForStanding
            ? nil
            : try database.all("SELECT state_id, standing FROM farm_image_states") { row in
                query.matches(ImageStanding(row.json(1))) ? row.integer(0) : nil
            }.compactMap { $0 }
        var drivers: [Driver] = tags.map { .tags($0.ids, minimum: $0.minimum) }
        if let states, states.count <= SearchQuery.mostValues {
            drivers.append(.indexed(column: "state_id", states))
        }
        if let votes = query.minVotesOfAny {
            drivers.append(
                .indexed(column: "votes", Array(max(0, min(votes, ImageFacts.mostVotes))...ImageFacts.mostVotes)))
        }
        if let confidence = query.minConfidenceOfAny {
            drivers.append(.indexed(column: "sureness", Array(ImageFacts.sureness(confidence)...20)))
        }
        if let group = query.group { drivers.append(.group(group)) }
        isEmpty = query.isImpossible || states?.isEmpty == true || tags.contains { $0.ids.isEmpty }
        driver =
            isEmpty || drivers.count < 2
            ? drivers.first ?? .images : try SearchQuery.smallest(drivers, database)
    }

    private static func smallest(_ drivers: [Driver], _ database: Database) throws -> Driver {
        let sizes = try drivers.map { driver in
            var values = StatementArguments()
            let rows = driver.rows(.oldestFirst, after: nil, size: countLimit, &values)
            let statement = try database.makeStatement(
                sql: "SELECT count(*) FROM (SELECT 1 FROM (\(rows)) LIMIT \(countLimit))")
            return try Int.fetchOne(statement, arguments: values) ?? 0
        }
        return drivers[drivers.indices.min { sizes[$0] < sizes[$1] } ?? 0]
    }

    // MARK: Searching

    func find(_ file: SQLiteFile, _ order: ImageOrder, after: ImageID?, limit: Int, bound: Int) async throws
        -> FoundImages
    {
        guard !isEmpty else { return FoundImages() }
        let start = after ?? (order == .newestFirst ? .max : -1)
        let widest = max(limit, 200_000 / driver.width)
        return try await FoundImages.search(from: start, limit: limit, bound: bound, largest: widest) { place, size in
            try await file.read { try part(order, after: place, size: size, $0) }
        }
    }

    /// Looks at the next images: which match, which was the last, how many there were.
    func part(_ order: ImageOrder, after place: ImageID, size: Int, _ database: Database) throws -> SearchedPart {
        let (sql, values) = statement(order, after: place, size: size)
        let row = try Row.fetchOne(database.makeStatement(sql: sql), arguments: values)
        let matches = (row?.json(0).arrayValue ?? []).compactMap(\.integerValue)
        return SearchedPart(
            matches: order == .newestFirst ? matches.sorted(by: >) : matches.sorted(), last: row?.integer(1),
            count: row?.integer(2) ?? 0)
    }

    /// What `part` asks.
    func statement(_ order: ImageOrder, after place: ImageID, size: Int) -> (sql: String, values: StatementArguments) {
        var values = StatementArguments()
        let rows = driver.rows(order, after: place, size: size, &values)
        let direction = order == .newestFirst ? "DESC" : "ASC"
        let condition = condition(&values)
        return (
            """
            WITH d AS MATERIALIZED (SELECT image_id FROM (\(rows)) ORDER BY image_id \(direction) LIMIT \(size))
            SELECT json_group_array(image_id) FILTER (WHERE \(condition)),
                \(order == .newestFirst ? "min" : "max")(image_id), count(*) FROM d
            """, values
        )
    }

    /// What an image `d` must meet that the driver does not say already. Each part is a look by a key.
    private func condition(_ values: inout StatementArguments) -> String {
        var conditions = [imageCondition(&values)]
        var known: [String] = []
        if let states, driver != .indexed(column: "state_id", states) {
            known.append("f.state_id IN (\(states.list))")
        }
        if let votes = query.minVotesOfAny { known.append("f.votes >= \(votes)") }
        if let confidence = query.minConfidenceOfAny {
            known.append("f.confidence >= ?")
            values += [confidence]
        }
        if !known.isEmpty {
            conditions.append(
                "(SELECT \(known.joined(separator: " AND ")) FROM farm_indexed_images f WHERE f.image_id = d.image_id)")
        }
        for rule in tags where driver != .tags(rule.ids, minimum: rule.minimum) {
            let value = rule.minimum == nil ? "" : " AND t.value >= ?"
            if let minimum = rule.minimum { values += [minimum] }
            conditions.append(
                """
                EXISTS (SELECT 1 FROM farm_tagged_images t WHERE t.tag_id IN (\(rule.ids.list))
                    AND t.image_id = d.image_id\(value))
                """)
        }
        return conditions.joined(separator: " AND ")
    }

    private func imageCondition(_ values: inout StatementArguments) -> String {
        var conditions = ["i.image_id = d.image_id"]
        if let group = query.group, driver != .group(group) {
            conditions.append("i.image_group = ?")
            values += [group]
        }
        if let needle = query.needle {
            let parts = ["image_filename", "image_path", "image_url"].map { column in
                values += [needle]
                return "instr(lower(i.\(column)), ?) > 0"
            }
            conditions.append("(\(parts.joined(separator: " OR ")))")
        }
        return "EXISTS (SELECT 1 FROM images i WHERE \(conditions.joined(separator: " AND ")))"
    }
}

extension SearchQuery.Driver {
    /// The next images after a place; a SELECT. Of several values each has its own.
    /// - Parameter size: how many of each value.
    fileprivate func rows(
        _ order: ImageOrder, after: ImageID?, size: Int, _ values: inout StatementArguments
    ) -> String {
        let (comparison, direction) = order == .newestFirst ? ("<", "DESC") : (">", "ASC")
        let place = after.map { "image_id \(comparison) \($0)" } ?? "1"
        let end = "ORDER BY image_id \(direction) LIMIT \(size)"
        func each(_ ids: [Int], _ condition: (Int) -> String) -> String {
            ids.map { "SELECT image_id FROM (SELECT image_id FROM \(condition($0)) AND \(place) \(end))" }
                .joined(separator: " UNION ALL ")
        }
        switch self {
        case .images: return "SELECT image_id FROM images WHERE \(place) \(end)"
        case .group(let group):
            values += [group]
            return "SELECT image_id FROM images WHERE image_group = ? AND \(place) \(end)"
        case .tags(let ids, let minimum):
            return each(ids) { id in
                if let minimum { values += [minimum] }
                return "farm_tagged_images WHERE tag_id = \(id)" + (minimum == nil ? "" : " AND value >= ?")
            }
        case .indexed(let column, let ids): return each(ids) { "farm_indexed_images WHERE \(column) = \($0)" }
        }
    }

    /// How many values it has: so many rows are read for one that is looked at, in the worst case.
    fileprivate var width: Int {
        switch self {
        case .images, .group: 1
        case .tags(let ids, _), .indexed(_, let ids): max(1, ids.count)
        }
    }
}

extension [Int] {
    fileprivate var list: String { map(String.init).joined(separator: ", ") }
}
