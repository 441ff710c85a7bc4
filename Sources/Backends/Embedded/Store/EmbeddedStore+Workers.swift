import Foundation
import Pipeline

extension EmbeddedStore: WorkerRegister {
    /// How many seconds a worker that has not reported its end stays in the table.
    private static let memory = 86_400.0

    /// Writes that a worker of this process is alive.
    public func register(_ worker: RegisteredWorker, silence: Duration) async throws {
        let (now, run) = (time.now(), run)
        try await file.write { database in
            try database.run(
                """
                INSERT INTO farm_workers (run, queue, worker_id, service, host, state, reason, silence, started, seen, space, pid, revision,
                    version, concurrency, completed, rate, last_job)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (run, queue) DO UPDATE SET (worker_id, service, host, state, reason, silence, seen, revision,
                    version, concurrency, completed, rate, last_job) =
                    (excluded.worker_id, excluded.service, excluded.host, excluded.state, excluded.reason, excluded.silence,
                    excluded.seen, excluded.revision, excluded.version, excluded.concurrency, excluded.completed, excluded.rate,
                    excluded.last_job)
                """,
                [
                    run, worker.queue, worker.workerID, worker.service, worker.host, worker.condition.state.rawValue,
                    worker.condition.reason, Int(silence.seconds), StoredTime.text(now), StoredTime.text(now),
                    worker.process?.space, worker.process?.number, worker.revision, worker.figures.version,
                    worker.figures.concurrency, worker.figures.completed, worker.figures.rate,
                    worker.figures.lastJob.map(StoredTime.text),
                ])
            try database.run(
                "DELETE FROM farm_workers WHERE seen < ?",
                [StoredTime.text(now.addingTimeInterval(-EmbeddedStore.memory))])
        }
    }

    /// Removes the row of a worker of this process that has ended.
    public func unregister(queue: String) async throws {
        let run = run
        try await file.write { database in
            _ = try database.run("DELETE FROM farm_workers WHERE run = ? AND queue = ?", [run, queue])
        }
    }

    /// The live workers. A row from the future was written before the clock was set back.
    public func liveWorkers() async throws -> [RegisteredWorker] {
        try await workers(at: time.now()).filter { !$0.isSilent && !$0.worker.isGone }.map(\.worker)
    }

    /// Workers that have fallen silent.
    public func silentWorkers(since age: Duration) async throws -> [DeadWorker] {
        let now = time.now()
        return try await workers(at: now)
            .filter { row in
                (row.isSilent || row.worker.isGone) && row.worker.condition.state != .stopping
                    && (0...age.seconds).contains(row.age)
            }
            .sorted { $0.age > $1.age }.map { $0.worker.silent(for: $0.age, now: now) }
    }

    private func workers(at now: Date) async throws -> [(worker: RegisteredWorker, age: Double, isSilent: Bool)] {
        try await file.read { database in
            try database.all(
                """
                SELECT worker_id, service, host, queue, state, reason, silence, seen, space, pid, revision, version,
                    concurrency, completed, rate, last_job FROM farm_workers
                ORDER BY service, host, worker_id, run
                """
            ) { row -> (RegisteredWorker, Double, Bool)? in
                guard let seen = row.time(7), let silence = row.integer(6) else { return nil }
                let worker = RegisteredWorker(
                    workerID: row.text(0) ?? "", service: row.text(1) ?? "", host: row.text(2) ?? "",
                    queue: row.text(3) ?? "",
                    condition: WorkerCondition(.init(rawValue: row.text(4) ?? "") ?? .unknown, reason: row.text(5)),
                    process: row.text(8).flatMap { space in
                        row.integer(9).map { ProcessIdentity(space: space, number: $0) }
                    }, revision: row.integer(10),
                    figures: WorkerFigures(
                        version: row.text(11), concurrency: row.integer(12), completed: row.integer(13),
                        rate: row.real(14), lastJob: row.time(15)))
                let age = now.timeIntervalSince(seen)
                return (worker, age, abs(age) > Double(silence))
            }
            .compactMap { $0 }
        }
    }

    /// When workers that have not reported their end were last seen.
    public func seenWorkers() async throws -> [SeenWorkers] {
        let now = time.now()
        return try await file.read { database in
            try database.all(
                "SELECT service, host, max(seen) FROM farm_workers GROUP BY service, host ORDER BY service, host"
            ) { row -> SeenWorkers? in
                guard let seen = row.time(2) else { return nil }
                return SeenWorkers(
                    service: row.text(0) ?? "", host: row.text(1) ?? "", age: max(0, now.timeIntervalSince(seen)))
            }
            .compactMap { $0 }
        }
    }
}
