import Foundation
import Model
import Pipeline

extension PostgreSQLStore: WorkerRegister {
    /// Writes that a worker of this process is alive.
    public func register(_ worker: RegisteredWorker, silence: Duration) async throws {
        let row = Statement(
            """
            INSERT INTO farm_workers (run, queue, worker_id, service, host, state, reason, silence, space, pid, revision,
                version, concurrency, completed, rate, last_job)
            VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::bigint, $9::text,
                nullif($10::bigint, 0), nullif($11::bigint, -1), $12::text, nullif($13::bigint, -1), nullif($14::bigint, -1),
                $15::text::float8, $16::text::timestamptz)
            ON CONFLICT (run, queue) DO UPDATE SET (worker_id, service, host, state, reason, silence, seen, revision,
                version, concurrency, completed, rate, last_job) =
                (excluded.worker_id, excluded.service, excluded.host, excluded.state, excluded.reason, excluded.silence, now(),
                excluded.revision, excluded.version, excluded.concurrency, excluded.completed, excluded.rate, excluded.last_job)
            """,
            .uuid(runID), .text(worker.queue), .text(worker.workerID), .text(worker.service), .text(worker.host),
            .text(worker.condition.state.rawValue), .text(worker.condition.reason), .integer(Int(silence.seconds)),
            .text(worker.process?.space), .integer(worker.process?.number ?? 0),
            .integer(worker.revision ?? -1), .text(worker.figures.version),
            .integer(worker.figures.concurrency ?? -1), .integer(worker.figures.completed ?? -1),
            .text(worker.figures.rate.map { "\($0)" }), .text(worker.figures.lastJob.map(Timestamp.iso8601)))
        // A row that another process is deleting at this moment is left to it.
        let tidying = Statement(
            """
            DELETE FROM farm_workers WHERE (run, queue) IN (
                SELECT run, queue FROM farm_workers WHERE seen < now() - interval '1 day' FOR UPDATE SKIP LOCKED)
            """)
        try await primary.run { connection in _ = try connection.transaction(.current, [row, tidying]) }
    }

    /// Removes the row of a worker of this process that has ended.
    public func unregister(queue: String) async throws {
        let statement = Statement(
            "DELETE FROM farm_workers WHERE run = $1::uuid AND queue = $2::text", .uuid(runID), .text(queue))
        try await primary.run { connection in _ = try connection.run([statement]) }
    }

    /// The live workers. A replica may be behind.
    public func liveWorkers() async throws -> [RegisteredWorker] {
        try await workers("seen >= now() - silence * interval '1 second'").map(\.worker).filter { !$0.isGone }
    }

    /// Workers that have fallen silent. A replica may be behind.
    public func silentWorkers(since age: Duration) async throws -> [DeadWorker] {
        let now = Date()
        return try await workers(
            "state <> 'stopping' AND seen >= now() - $1::bigint * interval '1 second'", .integer(Int(age.seconds))
        )
        .filter { $0.isSilent || $0.worker.isGone }.sorted { $0.age > $1.age }.map {
            $0.worker.silent(for: $0.age, now: now)
        }
    }

    private func workers(
        _ condition: String, _ values: Statement.Value...
    ) async throws -> [(worker: RegisteredWorker, age: Double, isSilent: Bool)] {
        let statement = Statement(
            """
            SELECT worker_id, service, host, queue, state, reason, space, pid, revision, version, concurrency, completed,
                rate, extract(epoch FROM last_job), extract(epoch FROM now() - seen),
                (seen < now() - silence * interval '1 second')::int FROM farm_workers
            WHERE \(condition) ORDER BY service, host, worker_id, run
            """, values: values)
        return try await replica.run { connection in
            try connection.run([statement])[0].map { row in
                let worker = RegisteredWorker(
                    workerID: row.text(0) ?? "", service: row.text(1) ?? "", host: row.text(2) ?? "",
                    queue: row.text(3) ?? "",
                    condition: WorkerCondition(.init(rawValue: row.text(4) ?? "") ?? .unknown, reason: row.text(5)),
                    process: row.text(6).flatMap { space in
                        row.integer(7).map { ProcessIdentity(space: space, number: $0) }
                    }, revision: row.integer(8),
                    figures: WorkerFigures(
                        version: row.text(9), concurrency: row.integer(10), completed: row.integer(11),
                        rate: row.real(12), lastJob: row.time(13)))
                return (worker, max(0, row.real(14) ?? 0), row.integer(15) == 1)
            }
        }
    }

    /// When workers that have not reported their end were last seen. A replica may be behind.
    public func seenWorkers() async throws -> [SeenWorkers] {
        let statement = Statement(
            """
            SELECT service, host, extract(epoch FROM now() - max(seen)) FROM farm_workers
            GROUP BY service, host ORDER BY service, host
            """)
        return try await replica.run { link in
            try link.run([statement])[0].map { row in
                SeenWorkers(service: row.text(0) ?? "", host: row.text(1) ?? "", age: max(0, row.real(2) ?? 0))
            }
        }
    }
}
