import Foundation
import Model
import Pipeline
import Waiting

extension PostgreSQLStore {
    /// The standing of each job.
    public func standing(of jobs: [JobKey], workerID: String, patience: Duration) async throws -> [JobStanding] {
        guard !jobs.isEmpty else { return [] }
        // Whoever asks about jobs that are noted as begun has to say who began them.
        guard jobs.contains(where: \.redelivered) else { return try await asking.take(jobs, patience: patience) }
        return try await PostgreSQLStore.ask(jobs, workerID: workerID, run: runID, primary)
    }

    static func sharedAsking(_ primary: ConnectionPool, _ time: any Timekeeper) -> SharedTrip<JobKey, JobStanding> {
        // Without redelivered jobs nothing is noted, whoever asks.
        SharedTrip(waiting: Company(time: time), isCommon: isPassing) {
            try await ask($0, workerID: "", run: UUID(), primary)
        }
    }

    /// If the server is away, it is away for all. A refusal may be due to the values of one stage.
    private static func isPassing(_ error: any Error) -> Bool { (error as? PortFault)?.kind == .transient }

    private static func ask(
        _ jobs: [JobKey], workerID: String, run: UUID, _ primary: ConnectionPool
    ) async throws -> [JobStanding] {
        let (standing, begin) = standing(of: jobs, workerID: workerID, run: run)
        return try await primary.run { connection in
            let answers =
                try begin.map { try connection.transaction(.current, [standing, $0]) } ?? connection.run([standing])
            let standings = answers[0].map { row -> JobStanding in
                guard let image = ImageRows.image(row) else { return .unknownImage }
                guard row.flag(5) else { return .open(image, deaths: row.integer(8) ?? 0) }
                return .recorded(row.text(6).flatMap(ResultStatus.init) ?? .error, error: row.json(7))
            }
            if standings.contains(.unknownImage) { try checkCatalogue(connection) }
            return standings
        }
    }

    /// Only jobs that were redelivered and are open have to be noted.
    ///
    /// The limits make the server look for each row by its index. Otherwise it may read all images for every question: the
    /// statement stays prepared, and there may have been few images when it was.
    static func standing(of jobs: [JobKey], workerID: String, run: UUID) -> (asking: Statement, noting: Statement?) {
        let begun = jobs.filter(\.redelivered)
        let standing = Statement(
            """
            SELECT \(ImageRows.imageColumns), r.result_id IS NOT NULL, r.status,
                CASE WHEN r.status = 'error' THEN r.data -> 'error' END,
                CASE WHEN k.redelivered = 1 THEN (SELECT count(*) FROM farm_begun b
                    WHERE b.job_id = k.job_id AND NOT (b.worker_id = $4::text AND b.run = $5::uuid)) ELSE 0 END
            FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS k(image_id, job_id, redelivered, place)
            LEFT JOIN LATERAL (SELECT * FROM images WHERE image_id = k.image_id LIMIT 1) i ON true
            LEFT JOIN LATERAL (SELECT * FROM results WHERE image_id = k.image_id AND job_id = k.job_id LIMIT 1) r ON true
            ORDER BY k.place
            """,
            .integers(jobs.map(\.imageID)), .uuids(jobs.map(\.jobID)), .integers(jobs.map { $0.redelivered ? 1 : 0 }),
            .text(workerID), .uuid(run))
        guard !begun.isEmpty else { return (standing, nil) }
        let begin = Statement(
            """
            INSERT INTO farm_begun (job_id, worker_id, run) SELECT DISTINCT k.job_id, $3::text, $4::uuid
            FROM unnest($1::bigint[], $2::uuid[]) AS k(image_id, job_id)
            WHERE EXISTS (SELECT 1 FROM images i WHERE i.image_id = k.image_id)
            AND NOT EXISTS (SELECT 1 FROM results r WHERE r.image_id = k.image_id AND r.job_id = k.job_id)
            ON CONFLICT DO NOTHING
            """, .integers(begun.map(\.imageID)), .uuids(begun.map(\.jobID)), .text(workerID), .uuid(run))
        return (standing, begin)
    }

    /// Forgets that this run of the worker had begun these jobs.
    public func settle(_ jobs: [UUID], workerID: String) async throws {
        guard !jobs.isEmpty else { return }
        let statement = Statement(
            "DELETE FROM farm_begun WHERE job_id = ANY($1::uuid[]) AND worker_id = $2::text AND run = $3::uuid",
            .uuids(jobs), .text(workerID), .uuid(runID))
        try await primary.run { _ = try $0.run([statement]) }
    }

    /// Inserts the rows that are not there yet, in the given order. Characters of an answer that JSONB cannot hold, NUL
    /// and lone surrogates, become U+FFFD.
    @discardableResult
    public func record(_ results: [AnalysisResult], patience: Duration) async throws -> Set<UUID> {
        guard !results.isEmpty else { return [] }
        for result in results where !ColumnText.fits(result.service, ColumnText.name) {
            throw PortFault(
                .refused, place: place,
                message: "results.service holds 50 characters: \(ColumnText.cut(result.service, to: ColumnText.name))")
        }
        let inserted = try await recording.take(results, patience: patience)
        return Set(zip(results, inserted).filter { !$1 }.map(\.0.jobID))
    }

    static func sharedRecording(_ primary: ConnectionPool, _ time: any Timekeeper) -> SharedTrip<AnalysisResult, Bool> {
        SharedTrip(waiting: Company(time: time), isCommon: isPassing) { results in
            let statements = recording(results)
            let inserted = try await primary.run { connection in
                try connection.transaction(.current, statements).dropLast().flatMap { rows in
                    rows.map { $0.text(0).flatMap(UUID.init(uuidString:)) }
                }
            }
            // If a job is among the results twice, the first one is its row.
            var left = Dictionary(results.map { ($0.jobID, 1) }, uniquingKeysWith: +)
            for case let job? in inserted { left[job, default: 0] -= 1 }
            return results.map { left[$0.jobID, default: 0] <= 0 }
        }
    }

    /// The insertions, and at the end the statement that settles the jobs.
    static func recording(_ results: [AnalysisResult]) -> [Statement] {
        results.parts(of: partSize).map(insertion) + [
            Statement("DELETE FROM farm_begun WHERE job_id = ANY($1::uuid[])", .uuids(results.map(\.jobID)))
        ]
    }

    /// How many bytes of answers are in one statement. The server builds its arrays in memory.
    private static let partSize = 8 << 20

    /// Rows of images that are gone are not inserted. A subquery looks for the image, so that the server keeps the
    /// order of the rows: the newest has the largest `result_id`.
    private static func insertion(_ results: ArraySlice<AnalysisResult>) -> Statement {
        Statement(
            """
            INSERT INTO results (image_id, service, data, status, processing_time, worker_id, job_id)
            SELECT * FROM unnest($1::bigint[], $2::text[], $3::jsonb[], $4::text[], $5::float8[], $6::text[], $7::uuid[])
                AS n(image_id, service, data, status, seconds, worker_id, job_id)
            WHERE (SELECT true FROM images i WHERE i.image_id = n.image_id LIMIT 1)
            ON CONFLICT (image_id, job_id) WHERE job_id IS NOT NULL DO NOTHING RETURNING job_id
            """,
            .integers(results.map(\.imageID)), .texts(results.map(\.service)),
            .json(results.map { StorableJSON.mended($0.data) }), .texts(results.map(\.status.rawValue)),
            .doubles(results.map(\.processingTime)),
            .texts(results.map { ColumnText.cut($0.workerID, to: ColumnText.name) }),
            .uuids(results.map(\.jobID)))
    }

    /// The images that exist, of these.
    public func images(_ ids: [ImageID]) async throws -> [ImageID: Image] {
        guard !ids.isEmpty else { return [:] }
        let statement = ImageRows.images(ids)
        return try await primary.run { connection in
            let images = ImageRows.images(try connection.run([statement])[0])
            if ids.contains(where: { images[$0] == nil }) { try PostgreSQLStore.checkCatalogue(connection) }
            return images
        }
    }

    /// If there is no image at all, nothing can be said about a missing one: its jobs are not bad, but this is not the
    /// store for which they were submitted, or it hides its rows. If ids have been used, there were images, and
    /// somebody has removed them.
    private static func checkCatalogue(_ connection: PostgreSQLConnection) throws {
        let question = Statement(
            """
            SELECT EXISTS (SELECT 1 FROM images), row_security_active('images'),
                CASE WHEN has_sequence_privilege(s.name, 'USAGE') OR has_sequence_privilege(s.name, 'SELECT')
                    THEN pg_sequence_last_value(s.name::regclass) IS NOT NULL ELSE false END
            FROM (SELECT pg_get_serial_sequence('images', 'image_id')) AS s(name)
            """)
        guard let answer = try connection.run([question])[0].first, !answer.flag(0), answer.flag(1) || !answer.flag(2)
        else { return }
        let user = connection.server.options.user
        let cause =
            answer.flag(1)
            ? "row level security hides them from \(user): CREATE POLICY, or ALTER ROLE \(user) BYPASSRLS"
            : "perhaps DB_NAME is not that of the farm whose jobs these are"
        throw PortFault(
            .unusable, place: connection.server.place,
            message: "images shows no row, though jobs name some; \(cause)")
    }
}

extension [AnalysisResult] {
    /// Slices of about this many bytes, each with at least one row.
    fileprivate func parts(of size: Int) -> [ArraySlice<AnalysisResult>] {
        var parts: [ArraySlice<AnalysisResult>] = []
        var start = startIndex
        var bytes = 0
        for index in indices {
            if bytes > 0, bytes + self[index].data.count > size {
                parts.append(self[start..<index])
                (start, bytes) = (index, 0)
            }
            bytes += self[index].data.count
        }
        if start < endIndex { parts.append(self[start...]) }
        return parts
    }
}
