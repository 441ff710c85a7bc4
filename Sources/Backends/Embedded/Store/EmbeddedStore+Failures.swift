import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// The present moment.
    public func failureMark() async throws -> FailureMark {
        let now = now
        return try await file.read { database in
            FailureMark(resultID: try database.integer("SELECT max(result_id) FROM results") ?? 0, time: now)
        }
    }

    /// What has failed for good since then.
    public func failures(since mark: FailureMark) async throws -> [FailureReport] {
        try await file.read { database in
            let ofImages = FailureQuery(table: "results", condition: "result_id > ?", isOfBoxes: false)
            let ofBoxes = FailureQuery(table: "postprocessing", condition: "result_created >= ?", isOfBoxes: true)
            return try ofImages.reports([mark.resultID], database) + ofBoxes.reports([mark.time], database)
        }
    }
}

/// Rows with status `error` by service and kind.
private struct FailureQuery {
    var table: String
    var condition: String
    var isOfBoxes: Bool

    /// The row with the smallest image_id represents its group: SQLite takes the other columns from the row that has
    /// the minimum.
    func reports(_ arguments: StatementArguments, _ database: Database) throws -> [FailureReport] {
        let sql = """
            SELECT service, coalesce(\(member("kind")), '') AS kind, count(*), min(image_id), \(member("message"))
            FROM \(table) WHERE status = 'error' AND \(condition) AND service IS NOT NULL AND image_id IS NOT NULL
            GROUP BY service, kind ORDER BY service, kind
            """
        return try database.all(sql, arguments) { row in
            FailureReport(
                service: row.text(0) ?? "", isOfBoxes: isOfBoxes, kind: row.text(1) ?? "", count: row.integer(2) ?? 0,
                imageID: row.integer(3) ?? 0, message: row.text(4) ?? "")
        }
    }

    private func member(_ name: String) -> String {
        "CASE WHEN json_valid(data) THEN json_extract(data, '$.error.\(name)') END"
    }
}
