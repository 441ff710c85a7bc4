import Foundation
import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// The standing of each job. Nothing waits: what comes while the file is written is written together anyway.
    public func standing(
        of jobs: [JobKey], workerID: String, patience _: Duration
    ) async throws -> [JobStanding] {
        guard !jobs.isEmpty else { return [] }
        let (now, run) = (now, run)
        return try await file.write { try EmbeddedStore.standing(of: jobs, workerID: workerID, run: run, now: now, $0) }
    }

    static func standing(
        of jobs: [JobKey], workerID: String, run: String, now: String, _ database: Database
    ) throws -> [JobStanding] {
        try jobs.map { job in
            // Only redelivered jobs have to be noted.
            guard job.redelivered else { return try standing(of: job, deaths: 0, database) }
            let id = job.jobID.text
            let deaths = try database.integer(
                "SELECT count(*) FROM farm_begun WHERE job_id = ? AND NOT (worker_id = ? AND run = ?)",
                [id, workerID, run])
            let standing = try standing(of: job, deaths: deaths ?? 0, database)
            if case .open = standing {
                try database.run(
                    "INSERT INTO farm_begun (job_id, worker_id, run, begun_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    [id, workerID, run, now])
            }
            return standing
        }
    }

    private static func standing(of job: JobKey, deaths: Int, _ database: Database) throws -> JobStanding {
        guard let image = try ImageRows(database).image(job.imageID) else { return .unknownImage }
        let row = try database.first(
            "SELECT status, data FROM results WHERE image_id = ? AND job_id = ?", [job.imageID, job.jobID.text]
        ) { ($0.text(0).flatMap(ResultStatus.init) ?? .error, $0.json(1)) }
        guard let (status, data) = row else { return .open(image, deaths: deaths) }
        return .recorded(status, error: status == .error ? data["error"] : nil)
    }

    /// Forgets that this run of the worker had begun these jobs.
    public func settle(_ jobs: [UUID], workerID: String) async throws {
        guard !jobs.isEmpty else { return }
        let run = run
        try await file.write { database in
            for job in jobs {
                try database.run(
                    "DELETE FROM farm_begun WHERE job_id = ? AND worker_id = ? AND run = ?", [job.text, workerID, run])
            }
        }
    }

    /// Inserts the rows that are not there yet. Nothing waits: what comes while the file is written is written together anyway.
    @discardableResult
    public func record(_ results: [AnalysisResult], patience _: Duration) async throws -> Set<UUID> {
        guard !results.isEmpty else { return [] }
        for result in results where !ColumnText.fits(result.service, ColumnText.name) {
            throw PortFault(
                .refused, place: file.place,
                message: "results.service holds 50 characters: \(ColumnText.cut(result.service, to: ColumnText.name))")
        }
        let now = now
        return try await file.write { try EmbeddedStore.insert(results, now: now, $0) }
    }

    /// - Returns: the jobs that had a row already, or whose image is gone.
    static func insert(_ results: [AnalysisResult], now: String, _ database: Database) throws -> Set<UUID> {
        var known: Set<UUID> = []
        for result in results {
            let job = result.jobID.text
            let count = try database.run(
                """
                INSERT INTO results (image_id, service, data, status, processing_time, result_created, worker_id, job_id)
                SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM images WHERE image_id = ?1)
                ON CONFLICT (image_id, job_id) WHERE job_id IS NOT NULL DO NOTHING
                """,
                [
                    result.imageID, result.service, String(decoding: result.data, as: UTF8.self),
                    result.status.rawValue,
                    result.processingTime.isFinite ? result.processingTime : nil, now,
                    ColumnText.cut(result.workerID, to: ColumnText.name), job,
                ])
            if count == 0 { known.insert(result.jobID) }
            try database.run("DELETE FROM farm_begun WHERE job_id = ?", [job])
        }
        return known
    }

    /// The images that exist, of these.
    public func images(_ ids: [ImageID]) async throws -> [ImageID: Image] {
        try await file.write { database in
            let rows = ImageRows(database)
            return try ids.reduce(into: [:]) { images, id in images[id] = try rows.image(id) }
        }
    }
}
