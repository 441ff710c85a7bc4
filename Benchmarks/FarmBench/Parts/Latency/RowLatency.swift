import Foundation
import Model
import Pipeline
import Servers

/// How long it takes from a job's publication until its row of `results` is committed, while jobs come at a fixed rate.
enum RowLatency {
    private static let rates = Scale.isQuick ? [200] : [20, 200]
    private static let seconds = Scale.of(15, quick: 5)

    static func run() async throws -> [Figure] {
        var figures: [Figure] = []
        for rate in rates {
            let waits = try await waits(rate).map { $0 * 1000 }
            figures += [
                Figure("one worker process, \(rate) jobs/s: from publication to the row, p50", waits.median, "ms"),
                Figure("p95", waits.quantile(0.95), "ms"),
                Figure("p99", waits.quantile(0.99), "ms"),
            ]
        }
        return figures
    }

    /// - Returns: seconds, for each job.
    private static func waits(_ rate: Int) async throws -> [Double] {
        let services = Workplace.services
        let jobs = rate * seconds
        let timed = try await TimedPlace(images: jobs / services.count + 1)
        let worker = try await timed.start(["work"] + services, consumers: services.count)
        var published: [String: Double] = [:]
        let begin = Clock.wall
        for number in 0..<jobs {
            let due = begin + Double(number) / Double(rate)
            // The rate is what is measured, so nothing else tells when the next one is due.
            while Clock.wall < due { usleep(UInt32(max(1, (due - Clock.wall) * 1e6))) }
            let id = UUID()
            published[id.uuidString.lowercased()] = Date().timeIntervalSince1970
            try await timed.publish(number / services.count + 1, services[number % services.count], id: id)
        }
        let site = timed.place.site
        try await wait(for: "rows", within: 60, { try await site.number("SELECT count(*) FROM results") }) {
            $0 >= Double(jobs)
        }
        let rows = try await site.postgreSQL.run(
            "SELECT job_id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM results", in: site.store.name)
        try worker.terminate()
        await timed.remove()
        return try rows.map { row in
            guard row.count == 2, let before = published[row[0]], let committed = Double(row[1]) else {
                throw BenchFault("a row of another job: \(row)")
            }
            return committed - before
        }
    }
}
