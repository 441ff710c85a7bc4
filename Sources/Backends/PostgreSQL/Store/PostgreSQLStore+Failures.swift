import Model
import Pipeline

extension PostgreSQLStore {
    /// The present moment, by the clock and in the time zone with which rows are written.
    public func failureMark() async throws -> FailureMark {
        let statement = Statement("SELECT (SELECT max(result_id) FROM results), localtimestamp::text")
        return try await primary.run { connection in
            let row = try connection.run([statement])[0].first
            return FailureMark(resultID: row?.integer(0) ?? 0, time: row?.text(1) ?? "-infinity")
        }
    }

    /// What has failed for good since then. A replica may not have it yet.
    public func failures(since mark: FailureMark) async throws -> [FailureReport] {
        func groups(_ condition: String, _ value: Statement.Value) -> Statement {
            Statement(
                """
                SELECT service, coalesce(data -> 'error' ->> 'kind', ''), count(*), min(image_id),
                    (array_agg(data -> 'error' ->> 'message' ORDER BY image_id))[1]
                FROM \(condition) AND status = 'error' AND service IS NOT NULL AND image_id IS NOT NULL
                GROUP BY 1, 2 ORDER BY 1, 2
                """, value)
        }
        let statements = [
            groups("results WHERE result_id > $1::bigint", .integer(mark.resultID)),
            groups("postprocessing WHERE result_created >= $1::text::timestamp", .text(mark.time)),
        ]
        return try await primary.run { connection in
            zip(try connection.run(statements), [false, true]).flatMap { rows, isOfBoxes in
                rows.map { row in
                    FailureReport(
                        service: row.text(0) ?? "", isOfBoxes: isOfBoxes, kind: row.text(1) ?? "",
                        count: row.integer(2) ?? 0, imageID: row.integer(3) ?? 0, message: row.text(4) ?? "")
                }
            }
        }
    }
}
