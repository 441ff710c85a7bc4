import Foundation

/// What a job's parts cost alone, client and server together, by plain C programs: publishing with confirms (200 at a time),
/// consuming with acknowledgements (100 at a time), one HTTP request, one row of an insert of a hundred.
enum Floor {
    /// - Returns: seconds of processor time for each job.
    static func measure(jobs: Int) async throws -> Double {
        let site = try await Site()
        let workplace = try Workplace(pictures: 1, size: (640, 480), environment: site.settings)
        let place = Contest.Place(site: site, workplace: workplace)
        try workplace.farm("init")
        // The first one's jobs make the queues.
        try await Contest.addImages(1...1, to: place)
        try workplace.farm("produce")
        try workplace.farm("purge", "--all", "--yes")
        try await Contest.addImages(2...jobs, to: place)
        let body = workplace.path("body")
        try Data(Jobs.messages(1, for: ["yolov8"])[0].body).write(to: URL(filePath: body))
        try Data(Answers.data).write(to: URL(filePath: workplace.path("answer.json")))
        var seconds = 0.0
        for part in parts(jobs, place, body) {
            let before = ServerTime()
            let run = try Run(
                Programs.beside(part.program), part.arguments, in: workplace.folder.url, environment: part.environment)
            let servers = ServerTime() - before
            seconds += run.processor + servers.broker + servers.database
        }
        await site.remove()
        return seconds / Double(jobs)
    }

    private static func parts(
        _ jobs: Int, _ place: Contest.Place, _ body: String
    ) -> [(program: String, arguments: [String], environment: [String: String])] {
        let site = place.site
        let rabbitMQ = site.rabbitMQ.settings(site.queue)
        let port = "\(site.rabbitMQ.port)"
        let database =
            "host=127.0.0.1 port=\(site.postgreSQL.port) user=postgres dbname=\(site.store.name) sslmode=disable"
        return [
            ("bare-rabbitmq", ["publish", port, "\(jobs)", "200", body, "queue_yolov8"], rabbitMQ),
            ("bare-rabbitmq", ["consume", port, "\(jobs)", "200", "100", "queue_yolov8"], rabbitMQ),
            ("bare-http", ["\(jobs)", "http://127.0.0.1:\(place.workplace.port)/yolov8?url=http://nas/1.jpg"], [:]),
            (
                "bare-postgresql",
                ["unnest", database, place.workplace.path("answer.json"), "\(jobs)", "100", "1"], [:]
            ),
        ]
    }
}
