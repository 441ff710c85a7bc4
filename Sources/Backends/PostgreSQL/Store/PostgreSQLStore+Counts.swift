import Foundation
import Model
import Pipeline

extension PostgreSQLStore {
    /// The services of `results`, and how long their calls took in the last hour.
    public func services(exact: Bool) async throws -> [ServiceReport] {
        let kinds = Statement(exact ? CountQueries.allKinds : CountQueries.kinds)
        let counts = Statement(
            CountQueries.kept + " WHERE relation = 'results' AND service IS NOT NULL GROUP BY 1, 2, 3")
        let statements = [kinds] + (exact ? [] : [counts]) + [Statement(CountQueries.times)]
        return try await replica.run { connection in
            let answers = try connection.transaction(.snapshot, statements)
            let kept = exact ? CountQueries.Kept() : CountQueries.Kept(answers[1])
            let times = (answers.last?.map { ($0.text(0) ?? "", ($0.real(1), $0.real(2))) } ?? [])
            let seconds = Dictionary(times, uniquingKeysWith: { first, _ in first })
            let kinds = answers[0].map(CountQueries.Kind.init)
            return kinds.map(\.service).uniqued().map { service in
                let own = kinds.filter { $0.service == service }
                func count(_ passed: Bool) -> Int {
                    let parts = own.filter { $0.passed == passed }.map(\.count)
                    let isCounted = exact || parts.allSatisfy { $0 <= RowCounts.exactLimit }
                    return isCounted
                        ? parts.reduce(0, +) : max(RowCounts.exactLimit + 1, kept["results", service, passed])
                }
                return ServiceReport(
                    service: service, success: count(true), error: count(false), last: own.compactMap(\.last).max(),
                    p50: seconds[service]?.0, p95: seconds[service]?.1)
            }
        }
    }

    /// The row counts of the tables.
    public func totals(exact: Bool) async throws -> Totals {
        let found = Statement(exact ? CountQueries.allTotals : CountQueries.totals)
        let kept = Statement(CountQueries.kept + " GROUP BY 1, 2, 3")
        return try await replica.run { connection in
            let answers = try connection.transaction(.snapshot, [found] + (exact ? [] : [kept]))
            let kept = exact ? CountQueries.Kept() : CountQueries.Kept(answers[1])
            func count(_ column: Int32, _ table: String, failed: Bool = false) -> Int {
                let found = answers[0].first?.integer(column) ?? 0
                guard !exact, found > RowCounts.exactLimit else { return found }
                return max(found, failed ? kept[table, nil, false] : kept.sum(of: table))
            }
            return Totals(
                images: count(0, "images"), results: count(1, "results"), mergedBoxes: count(2, "merged_boxes"),
                consensus: count(3, "consensus"), postprocessing: count(4, "postprocessing"),
                failedPostprocessing: count(5, "postprocessing", failed: true))
        }
    }

    /// Corrects what the triggers keep.
    public func recount() async throws {
        try await primary.run { connection in
            try connection.rollingBack {
                // Each statement sees what is committed when it begins: after the lock, the corrections of the last
                // recount.
                try connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0")
                try connection.execute(CountTables.recountAlone, within: nil)
                try connection.execute(CountTables.recount, within: nil)
                try connection.execute("COMMIT")
            }
        }
    }

    /// When the counts were last corrected.
    public func lastRecount() async throws -> Date? {
        let statement = Statement("SELECT extract(epoch FROM max(counted)) FROM farm_recounts")
        return try await replica.run { try $0.run([statement])[0].first?.time(0) }
    }
}

/// The statements that count.
enum CountQueries {
    /// One more than is counted, to show that there are more.
    private static let bound = RowCounts.exactLimit + 1

    /// Counts up to this many rows, in the order of the index. Without an order the server might read the whole table.
    private static func bounded(_ rows: String, by key: String) -> String {
        "(SELECT count(*) FROM (SELECT FROM \(rows) ORDER BY \(key) LIMIT \(bound)) c)"
    }

    /// The counts that triggers keep.
    static let kept = "SELECT relation, service, passed, sum(amount) FROM \(CountTables.kept) k"

    // MARK: Services

    /// For each service and status, up to 10,001 rows, and when the newest was written. The index leads from one pair
    /// to the next, so each pair is one look, however many rows there are.
    static let kinds: String = {
        func of(_ status: String) -> (count: String, last: String) {
            let rows = "results r WHERE r.service = k.service AND r.status \(status)"
            return (bounded(rows, by: "r.result_created"), "(SELECT max(r.result_created) FROM \(rows))")
        }
        let (known, null) = (of("= k.status"), of("IS NULL"))
        return """
            WITH RECURSIVE pairs AS (
                (SELECT service, status FROM results WHERE service IS NOT NULL ORDER BY service, status LIMIT 1)
                UNION ALL
                SELECT n.service, n.status FROM pairs p CROSS JOIN LATERAL (
                    SELECT service, status FROM results WHERE (service, status) > (p.service, p.status)
                    ORDER BY service, status LIMIT 1) n),
            kinds AS (
                SELECT service, status FROM pairs WHERE status IS NOT NULL
                UNION ALL SELECT s.service, NULL FROM (SELECT DISTINCT service FROM pairs) s
                WHERE EXISTS (SELECT 1 FROM results r WHERE r.service = s.service AND r.status IS NULL))
            SELECT k.service, k.status,
                CASE WHEN k.status IS NULL THEN \(null.count) ELSE \(known.count) END,
                extract(epoch FROM (CASE WHEN k.status IS NULL THEN \(null.last) ELSE \(known.last) END)::timestamptz)
            FROM kinds k ORDER BY k.service COLLATE "C", k.status
            """
    }()

    static let allKinds = """
        SELECT service, status, count(*), extract(epoch FROM max(result_created)::timestamptz)
        FROM results WHERE service IS NOT NULL GROUP BY service, status ORDER BY service COLLATE "C", status
        """

    /// Interpolated linearly between the two nearest (Hyndman and Fan's definition 7), for the newest rows of the last
    /// hour.
    static let times: String = {
        func percentile(_ fraction: Double) -> String {
            "percentile_cont(\(fraction)) WITHIN GROUP (ORDER BY t.processing_time)"
        }
        return """
            WITH RECURSIVE names AS (
                (SELECT min(service) AS service FROM results)
                UNION ALL
                SELECT (SELECT min(r.service) FROM results r WHERE r.service > n.service) FROM names n WHERE n.service IS NOT NULL)
            SELECT n.service, \(percentile(0.5)), \(percentile(0.95)) FROM names n CROSS JOIN LATERAL (
                SELECT r.processing_time FROM results r WHERE r.service = n.service AND r.status = 'success'
                AND r.processing_time IS NOT NULL AND r.result_created >= (now() - interval '1 hour')::timestamp
                ORDER BY r.result_created DESC LIMIT \(RowCounts.exactLimit)) t
            WHERE n.service IS NOT NULL GROUP BY n.service
            """
    }()

    struct Kind {
        var service: String
        var passed: Bool
        var count: Int
        var last: Date?

        init(_ row: Row) {
            service = row.text(0) ?? ""
            passed = row.text(1) == ResultStatus.success.rawValue
            count = row.integer(2) ?? 0
            last = row.time(3)
        }
    }

    // MARK: Totals

    private static let tables = [
        ("images", "image_id"), ("results", "result_id"), ("merged_boxes", "merged_id"), ("consensus", "consensus_id"),
        ("postprocessing", "postprocessing_id"), ("postprocessing WHERE status = 'error'", "result_created"),
    ]

    static let totals = "SELECT " + tables.map { bounded($0.0, by: $0.1) }.joined(separator: ", ")
    static let allTotals =
        "SELECT " + tables.map { "(SELECT count(*) FROM \($0.0))" }.joined(separator: ", ")

    /// What the triggers have counted.
    struct Kept {
        private struct Key: Hashable {
            var relation: String
            var service: String?
            var passed: Bool
        }

        private var amounts: [Key: Int] = [:]

        init() {}

        init(_ rows: Rows) {
            for row in rows.map({ $0 }) {
                amounts[Key(relation: row.text(0) ?? "", service: row.text(1), passed: row.flag(2))] = row.integer(3)
            }
        }

        subscript(_ relation: String, _ service: String?, _ passed: Bool) -> Int {
            amounts[Key(relation: relation, service: service, passed: passed)] ?? 0
        }

        func sum(of relation: String) -> Int {
            amounts.reduce(0) { $0 + ($1.key.relation == relation ? $1.value : 0) }
        }
    }
}

extension [String] {
    /// Each value once, where it came first.
    fileprivate func uniqued() -> [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
