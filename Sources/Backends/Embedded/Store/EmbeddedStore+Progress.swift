import Foundation
import Pipeline

extension EmbeddedStore: ProgressRecords {
    /// Adds to the notes. Each process has its own rows.
    public func note(waiting: Int, done: Int, in queue: String) async throws {
        let (now, run) = (time.now().timeIntervalSince1970, run)
        let minute = Int(now) / 60
        try await file.write { database in
            try database.run(
                """
                INSERT INTO farm_progress (minute, queue, run, noted, waiting, done) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET noted = excluded.noted, waiting = excluded.waiting, done = done + excluded.done
                """, [minute, queue, run, now, waiting, done])
            for table in ["farm_progress", "farm_rates"] {
                try database.run("DELETE FROM \(table) WHERE minute < ?", [minute - 120])
            }
        }
    }

    /// The last hour. A row from the future was written before the clock was set back.
    public func progress() async throws -> ProgressReport {
        let now = time.now().timeIntervalSince1970
        let (last, first) = (Int(now) / 60, Int(now) / 60 - 60)
        return try await file.read { database in
            func minutes(_ sql: String) throws -> [String: [MinuteCount]] {
                let rows = try database.all(sql, [first, last]) { row in
                    (
                        row.text(0) ?? "",
                        MinuteCount(
                            age: now - Double(row.integer(1) ?? 0) * 60, done: row.integer(2) ?? 0,
                            errors: row.integer(3) ?? 0)
                    )
                }
                return Dictionary(grouping: rows, by: \.0).mapValues { $0.map(\.1) }
            }
            let samples = try database.all(
                """
                SELECT queue, max(noted), waiting FROM farm_progress WHERE minute BETWEEN ? AND ?
                GROUP BY minute, queue ORDER BY minute DESC
                """, [first, last]
            ) { ($0.text(0) ?? "", WaitingSample(age: now - ($0.real(1) ?? 0), waiting: $0.integer(2) ?? 0)) }
            return ProgressReport(
                services: try minutes(
                    """
                    SELECT service, minute, done, errors FROM farm_rates WHERE minute BETWEEN ? AND ?
                    ORDER BY minute DESC
                    """),
                queues: try minutes(
                    """
                    SELECT queue, minute, sum(done), 0 FROM farm_progress WHERE minute BETWEEN ? AND ?
                    GROUP BY minute, queue ORDER BY minute DESC
                    """),
                samples: Dictionary(grouping: samples, by: \.0).mapValues { $0.map(\.1) })
        }
    }
}
