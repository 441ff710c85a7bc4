import Model
import Pipeline

extension PostgreSQLStore {
    /// How many parts are read at once, since the server has several processors.
    private static let parts = 4

    /// How many answers of these services are missing.
    public func lack(of services: [String], in group: String?, failed: Bool, limit: Int?) async throws -> Lack {
        let services = Lacking.distinct(services)
        let newest = try await newestID()
        // With a limit, nobody knows in which part its images are.
        let size = limit == nil ? newest / PostgreSQLStore.parts + 1 : Int(Int32.max)
        return try await withThrowingTaskGroup(of: Lack.self) { tasks in
            var after = Int(Int32.min)
            for part in 1...(limit == nil ? PostgreSQLStore.parts : 1) {
                let range = (after, limit == nil && part < PostgreSQLStore.parts ? part * size : Int(Int32.max))
                tasks.addTask { try await lack(of: services, in: group, within: range, failed: failed, limit: limit) }
                after = range.1
            }
            return try await tasks.reduce(into: Lack()) { sum, part in
                sum.images += part.images
                sum.jobs += part.jobs
                sum.failed.merge(part.failed, uniquingKeysWith: +)
            }
        }
    }

    private func lack(
        of services: [String], in group: String?, within range: (after: Int, last: Int), failed: Bool, limit: Int?
    ) async throws -> Lack {
        var query = CatalogueQuery(ImageFilter(group: group))
        let after = query.next("bigint")
        query.add("i.image_id > \(after)", .integer(range.after))
        let last = query.next("bigint")
        query.add("i.image_id <= \(last)", .integer(range.last))
        let names = query.next("text[]")
        query.values.append(.texts(services))
        let count = query.next("bigint")
        query.values.append(.integer(limit ?? .max))
        // For few images the rows are looked up. For all images they are read in the order of the index, which costs
        // half as much for each row.
        let successes =
            group == nil && limit == nil
            ? "LEFT \(Lacking.successes(of: names, after: after, last: last)) d ON d.image_id = i.image_id"
            : "CROSS JOIN \(Lacking.successes(of: names)) d"
        let finals = failed ? "ARRAY[]::text[]" : Lacking.finals(of: names)
        let sql = """
            WITH lacking AS MATERIALIZED (
                SELECT l.image_id, \(services.count) - l.services AS jobs, \(finals) AS failed FROM (
                    SELECT i.image_id, coalesce(d.services, 0) AS services FROM (SELECT i.image_id \(query.sql)) i
                    \(successes) WHERE coalesce(d.services, 0) < \(services.count)) l),
            found AS (
                SELECT jobs - cardinality(failed) AS jobs FROM lacking WHERE jobs > cardinality(failed)
                ORDER BY image_id LIMIT \(count))
            SELECT NULL, count(*), sum(jobs) FROM found
            UNION ALL SELECT f.service, count(*), NULL FROM lacking, unnest(failed) AS f(service) GROUP BY f.service
            """
        let statement = Statement(sql, values: query.values)
        return try await primary.run { connection in
            let rows = try connection.run([statement])[0].map { ($0.text(0), $0.integer(1) ?? 0, $0.integer(2) ?? 0) }
            var lack = Lack()
            for (service, count, jobs) in rows {
                if let service { lack.failed[service] = count } else { (lack.images, lack.jobs) = (count, jobs) }
            }
            return lack
        }
    }
}

/// Which services have answered about an image. The rows of an image are next to each other in the index, and are read
/// in that order. A condition on the service that the index could use would make the server look once for each service.
enum Lacking {
    /// The services without duplicates.
    static func distinct(_ services: [String]) -> [String] {
        var seen: Set<String> = []
        return services.filter { seen.insert($0).inserted }
    }

    /// How many of the services have a success for image `i`.
    static func successes(of names: String) -> String {
        """
        LATERAL (SELECT count(*) AS services FROM (
            SELECT DISTINCT r.service FROM results r
            WHERE r.image_id = i.image_id AND r.status = 'success' AND (r.service = ANY(\(names))) IS TRUE) s)
        """
    }

    /// How many of the services have a success, for each image of a range that has one. The rows are read in the order
    /// of the index.
    fileprivate static func successes(of names: String, after: String, last: String) -> String {
        """
        JOIN (SELECT s.image_id, count(*) AS services FROM (
            SELECT r.image_id, r.service FROM results r
            WHERE r.image_id > \(after) AND r.image_id <= \(last) AND r.status = 'success'
                AND (r.service = ANY(\(names))) IS TRUE
            GROUP BY r.image_id, r.service) s GROUP BY s.image_id)
        """
    }

    /// Which of the services have failed for good for image `l`, as an array.
    fileprivate static func finals(of names: String) -> String {
        """
        ARRAY(SELECT r.service::text FROM results r
            WHERE r.image_id = l.image_id AND (r.service = ANY(\(names))) IS TRUE AND \(AnswerRule.isFinalError)
            AND NOT EXISTS (SELECT 1 FROM results s
                WHERE s.image_id = r.image_id AND s.service = r.service AND s.status = 'success'))
        """
    }
}
