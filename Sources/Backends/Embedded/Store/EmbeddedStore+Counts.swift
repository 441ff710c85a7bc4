import Foundation
import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// The services of `results`, and how long their calls took in the last hour.
    public func services(exact: Bool) async throws -> [ServiceReport] {
        let hourAgo = time.now().addingTimeInterval(-3600)
        return try await file.read { database in
            let isExact = try exact || RowCounter.isUncounted(database)
            let kept = isExact ? [:] : try RowCounter.kept(database)
            return try RowCounter.values(of: "service", where: "1", [], database).map { service in
                let name = String.fromDatabaseValue(service) ?? ""
                var report = ServiceReport(service: name, success: 0, error: 0, last: nil, p50: nil, p95: nil)
                var isBounded = (success: true, error: true)
                for kind in try EmbeddedStore.kinds(of: service, isExact: isExact, database) {
                    let isCounted = isExact || kind.count <= RowCounts.exactLimit
                    if kind.passed {
                        report.success += kind.count
                        isBounded.success = isBounded.success && isCounted
                    } else {
                        report.error += kind.count
                        isBounded.error = isBounded.error && isCounted
                    }
                    report.last = [report.last, kind.last].compactMap { $0 }.max()
                }
                func counted(_ passed: Bool) -> Int {
                    kept[RowCounter.Key(relation: "results", service: name, passed: passed)] ?? 0
                }
                if !isBounded.success { report.success = max(report.success, counted(true)) }
                if !isBounded.error { report.error = max(report.error, counted(false)) }
                let seconds = try EmbeddedStore.seconds(of: service, since: hourAgo, database)
                (report.p50, report.p95) = (seconds.percentile(0.5), seconds.percentile(0.95))
                return report
            }.sorted { $0.service < $1.service }
        }
    }

    private struct Kind {
        var passed: Bool
        var count: Int
        var last: Date?
    }

    /// The rows by status. There are few statuses.
    private static func kinds(of service: DatabaseValue, isExact: Bool, _ database: Database) throws -> [Kind] {
        let statuses = try RowCounter.values(of: "status", where: "service = ?", [service], database)
        return try (statuses + [.null]).map { status in
            let condition = status.isNull ? "service = ? AND status IS NULL" : "service = ? AND status = ?"
            let arguments: StatementArguments = status.isNull ? [service] : [service, status]
            let count =
                isExact
                ? try database.integer("SELECT count(*) FROM results WHERE \(condition)", arguments) ?? 0
                : try RowCounter.bounded("results WHERE \(condition)", arguments, database)
            let last = try database.first("SELECT max(result_created) FROM results WHERE \(condition)", arguments) {
                $0.time(0)
            }
            return Kind(
                passed: String.fromDatabaseValue(status) == ResultStatus.success.rawValue, count: count,
                last: last ?? nil)
        }
    }

    /// The times of the newest rows. Other tools write times in other forms, so a row whose text sorts after the date
    /// is checked again.
    private static func seconds(of service: DatabaseValue, since: Date, _ database: Database) throws -> [Double] {
        try database.all(
            """
            SELECT result_created, processing_time FROM results
            WHERE service = ? AND status = 'success' AND result_created >= ?
            ORDER BY result_created DESC LIMIT \(RowCounts.exactLimit)
            """, [service, StoredTime.text(since)]
        ) { row in row.time(0).flatMap { $0 >= since ? row.real(1) : nil } }
        .compactMap { $0 }.sorted()
    }

    /// The row counts of the tables.
    public func totals(exact: Bool) async throws -> Totals {
        try await file.read { database in
            let isExact = try exact || RowCounter.isUncounted(database)
            let kept = isExact ? [:] : try RowCounter.kept(database)
            func count(_ rows: String, _ isOf: (RowCounter.Key) -> Bool) throws -> Int {
                if isExact { return try database.integer("SELECT count(*) FROM \(rows)") ?? 0 }
                let found = try RowCounter.bounded(rows, [], database)
                guard found > RowCounts.exactLimit else { return found }
                return max(found, kept.reduce(0) { $0 + (isOf($1.key) ? $1.value : 0) })
            }
            func count(_ table: String) throws -> Int { try count(table) { $0.relation == table } }
            return Totals(
                images: try count("images"),
                results: try count("results") { $0.relation == "results" || $0.relation == CountTriggers.unnamed },
                mergedBoxes: try count("merged_boxes"), consensus: try count("consensus"),
                postprocessing: try count("postprocessing"),
                failedPostprocessing: try count("postprocessing WHERE status = 'error'") {
                    $0.relation == "postprocessing" && !$0.passed
                })
        }
    }

    /// Corrects what the triggers keep.
    public func recount() async throws { try await RowCounter.recount(file, at: time.now()) }

    /// When the counts were last corrected.
    public func lastRecount() async throws -> Date? {
        try await file.read { database in
            try database.first("SELECT counted FROM farm_recounts ORDER BY id DESC LIMIT 1") { $0.time(0) } ?? nil
        }
    }
}
