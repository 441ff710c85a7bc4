import Pipeline

extension PostgreSQLStore: ProgressRecords {
    /// Adds to the notes. Each process has its own rows, so that none waits for another one.
    public func note(waiting: Int, done: Int, in queue: String) async throws {
        let row = Statement(
            """
            INSERT INTO farm_progress (queue, run, minute, waiting, done)
            VALUES ($1::text, $2::uuid, date_trunc('minute', now()), $3::bigint, $4::bigint)
            ON CONFLICT (queue, run, minute) DO UPDATE SET (noted, waiting, done) =
                (excluded.noted, excluded.waiting, farm_progress.done + excluded.done)
            """, .text(queue), .uuid(runID), .integer(waiting), .integer(done))
        let tidying = Statement(
            """
            DELETE FROM farm_progress WHERE (queue, run, minute) IN (
                SELECT queue, run, minute FROM farm_progress WHERE minute < now() - interval '2 hours'
                FOR UPDATE SKIP LOCKED)
            """)
        try await primary.run { connection in _ = try connection.transaction(.current, [row, tidying]) }
    }

    /// The last hour.
    public func progress() async throws -> ProgressReport {
        let hour = "> now() - interval '61 minutes'"
        let services = Statement(
            """
            SELECT service, extract(epoch FROM now() - minute), sum(done), sum(errors) FROM (
                SELECT service, minute, done, errors FROM farm_rates WHERE minute \(hour)
                UNION ALL SELECT service, date_trunc('minute', added), amount, CASE WHEN passed THEN 0 ELSE amount END
                FROM farm_count_changes WHERE added \(hour)) r
            GROUP BY service, minute ORDER BY minute DESC
            """)
        let queues = Statement(
            """
            SELECT queue, extract(epoch FROM now() - minute), sum(done), 0 FROM farm_progress
            WHERE minute \(hour) GROUP BY queue, minute ORDER BY minute DESC
            """)
        let samples = Statement(
            """
            SELECT DISTINCT ON (queue, minute) queue, extract(epoch FROM now() - noted), waiting FROM farm_progress
            WHERE minute \(hour) ORDER BY queue, minute DESC, noted DESC
            """)
        return try await replica.run { connection in
            let answers = try connection.transaction(.snapshot, [services, queues, samples])
            func minutes(_ rows: Rows) -> [String: [MinuteCount]] {
                Dictionary(
                    grouping: rows.map { row in
                        (
                            row.text(0) ?? "",
                            MinuteCount(age: row.real(1) ?? 0, done: row.integer(2) ?? 0, errors: row.integer(3) ?? 0)
                        )
                    }, by: \.0
                ).mapValues { $0.map(\.1) }
            }
            let samples = answers[2].map { row in
                (row.text(0) ?? "", WaitingSample(age: row.real(1) ?? 0, waiting: row.integer(2) ?? 0))
            }
            return ProgressReport(
                services: minutes(answers[0]), queues: minutes(answers[1]),
                samples: Dictionary(grouping: samples, by: \.0).mapValues { $0.map(\.1) })
        }
    }
}
