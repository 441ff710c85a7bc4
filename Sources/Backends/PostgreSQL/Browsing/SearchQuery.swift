import Model
import Pipeline

/// A search in the index: what is looked through in the order of ids, and what else has to be true.
struct SearchQuery: Sendable {
    /// Rows of an index that are in the order of `image_id`: one value of its first column, or several.
    enum Driver: Sendable, Equatable {
        case images
        case group(String)
        case tags([Int], minimum: Double?)
        /// A column of `farm_indexed_images` has one of these values.
        case indexed(column: String, [Int])
    }

    /// What the index says of the query.
    struct Resolved: Sendable {
        /// The tags of each rule of `ImageQuery.tagRules`.
        var tags: [(ids: [Int], minimum: Double?)]
        /// nil where the standing does not matter.
        var states: [Int]?
    }

    let query: ImageQuery
    let resolved: Resolved

    /// Nothing can match.
    var isEmpty: Bool {
        query.isImpossible || resolved.states?.isEmpty == true || resolved.tags.contains { $0.ids.isEmpty }
    }

    /// More values than that are not looked up one by one.
    private static let mostValues = 1000

    /// What could be looked through; the first one if nothing else is known.
    var drivers: [Driver] {
        var drivers: [Driver] = resolved.tags.map { .tags($0.ids, minimum: $0.minimum) }
        if let states = resolved.states, states.count <= SearchQuery.mostValues {
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
        return drivers.isEmpty ? [.images] : drivers
    }

    // MARK: Statements

    /// How many rows each of the drivers has, up to so many.
    static func sizes(_ drivers: [Driver], upTo limit: Int) -> Statement {
        var values = Values()
        // Once for all: a parameter that stands nowhere has no type.
        let limit = values.add(.integer(limit))
        let counts = drivers.map { driver in
            let rows = driver.rows(.oldestFirst, after: nil, size: limit, &values)
            return "(SELECT count(*) FROM (\(rows) LIMIT \(limit)) d)"
        }
        return Statement("SELECT " + counts.joined(separator: ", "), values: values.all)
    }

    /// Looks at the next images of a driver: which match, which was the last, how many there were.
    func part(_ driver: Driver, _ order: ImageOrder, after place: ImageID, size: Int) -> Statement {
        var values = Values()
        let (after, limit) = (values.add(.integer(place)), values.add(.integer(size)))
        let rows = driver.rows(order, after: after, size: limit, &values)
        let direction = order == .newestFirst ? "DESC" : "ASC"
        let sql = """
            WITH d AS MATERIALIZED (\(rows) ORDER BY 1 \(direction) LIMIT \(limit))
            SELECT array_to_string(array_agg(d.image_id ORDER BY d.image_id \(direction)) FILTER (WHERE \(condition(driver, &values))), ','),
                \(order == .newestFirst ? "min" : "max")(d.image_id), count(*) FROM d
            """
        return Statement(sql, values: values.all)
    }

    /// What an image `d` must meet that the driver does not say already. Each part is a look by a key: no join, for which the server could
    /// read a table as a whole.
    private func condition(_ driver: Driver, _ values: inout Values) -> String {
        var conditions = [imageCondition(driver, &values)]
        var known: [String] = []
        if let states = resolved.states, driver != .indexed(column: "state_id", states) {
            known.append("f.state_id = ANY(\(values.add(.integers(states))))")
        }
        if let votes = query.minVotesOfAny { known.append("f.votes >= \(values.add(.integer(votes)))") }
        if let confidence = query.minConfidenceOfAny {
            known.append("f.confidence >= \(values.add(.doubles([confidence])))")
        }
        if !known.isEmpty {
            conditions.append(
                "(SELECT \(known.joined(separator: " AND ")) FROM farm_indexed_images f WHERE f.image_id = d.image_id)")
        }
        for rule in resolved.tags where driver != .tags(rule.ids, minimum: rule.minimum) {
            let value = rule.minimum.map { " AND t.value >= \(values.add(.doubles([$0])))" } ?? ""
            conditions.append(
                """
                (SELECT true FROM farm_tagged_images t WHERE t.tag_id = ANY(\(values.add(.integers(rule.ids))))
                    AND t.image_id = d.image_id\(value) LIMIT 1)
                """)
        }
        return conditions.joined(separator: " AND ")
    }

    private func imageCondition(_ driver: Driver, _ values: inout Values) -> String {
        var conditions: [String] = []
        if let group = query.group, driver != .group(group) {
            conditions.append("i.image_group = \(values.add(.text(group)))")
        }
        if let needle = query.needle {
            let text = values.add(.text(needle))
            conditions.append(
                "("
                    + ["image_filename", "image_path", "image_url"].map { "strpos(lower(i.\($0)), \(text)) > 0" }
                    .joined(separator: " OR ") + ")")
        }
        let all = conditions.isEmpty ? "true" : conditions.joined(separator: " AND ")
        return "(SELECT \(all) FROM images i WHERE i.image_id = d.image_id)"
    }

    /// Parameters, in the order of their numbers.
    struct Values {
        private(set) var all: [Statement.Value] = []

        /// - Returns: how the value stands in the statement; a single number of `doubles` as itself.
        mutating func add(_ value: Statement.Value) -> String {
            all.append(value)
            let type: String
            switch value {
            case .integer: type = "bigint"
            case .text: type = "text"
            case .integers: type = "bigint[]"
            case .doubles: return "($\(all.count)::float8[])[1]"
            default: type = "text"
            }
            return "$\(all.count)::\(type)"
        }
    }
}

extension SearchQuery.Driver {
    /// The next images after a place; a SELECT that can be ordered and limited. Of several values each has its own.
    /// - Parameter size: how many of each value.
    fileprivate func rows(
        _ order: ImageOrder, after: String?, size: String, _ values: inout SearchQuery.Values
    ) -> String {
        let (comparison, direction) = order == .newestFirst ? ("<", "DESC") : (">", "ASC")
        let place = after.map { "image_id \(comparison) \($0)" } ?? "true"
        func each(_ ids: [Int], _ table: String, _ condition: String) -> String {
            """
            SELECT x.image_id FROM unnest(\(values.add(.integers(ids)))) AS v(value) CROSS JOIN LATERAL (
                SELECT image_id FROM \(table) WHERE \(condition) AND \(place) ORDER BY image_id \(direction) LIMIT \(size)) x
            """
        }
        switch self {
        case .images: return "SELECT image_id FROM images WHERE \(place)"
        case .group(let group):
            return "SELECT image_id FROM images WHERE image_group = \(values.add(.text(group))) AND \(place)"
        case .tags(let ids, let minimum):
            let value = minimum.map { " AND value >= \(values.add(.doubles([$0])))" } ?? ""
            return each(ids, "farm_tagged_images", "tag_id = v.value" + value)
        case .indexed(let column, let ids): return each(ids, "farm_indexed_images", "\(column) = v.value")
        }
    }

    /// How many values it has: so many rows are read for one that is looked at, in the worst case.
    var width: Int {
        switch self {
        case .images, .group: 1
        case .tags(let ids, _), .indexed(_, let ids): ids.count
        }
    }
}
