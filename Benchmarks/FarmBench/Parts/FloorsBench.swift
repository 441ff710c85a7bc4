import Foundation
import Servers

/// Jobs of services that answer at once and after 100 ms, on RabbitMQ and PostgreSQL. What a job costs farm, broker and
/// database together is held against its floor: what its parts cost alone, client and server together, in the same run.
enum FloorsBench {
    private static let images = 1000
    private static let rounds = 3
    private static var jobs: Double { Double(images * Workplace.services.count) }

    /// What jobs took, in seconds.
    private struct Cost {
        var farm = 0.0
        var servers: ServerTime
        var wall = 0.0
        /// In MB (10⁶ bytes).
        var memory = 0.0

        var all: Double { farm + servers.broker + servers.database }
    }

    static func run() async throws -> [Figure] {
        var floors: [Double] = []
        var costs: [String: [Cost]] = [:]
        let together = [["work"] + Workplace.services]
        let apart = Workplace.services.map { ["work", $0] }
        let set = [
            ("one process", together, 0), ("a process a service", apart, 0),
            ("one process, services of 100 ms", together, 100),
        ]
        for _ in 0..<rounds {
            floors.append(try await floor())
            for (name, commands, delay) in set {
                costs[name, default: []].append(try await work(commands, delay: delay))
            }
        }
        let floor = floors.median
        return [Figure("floor: publish, consume, one request, a row of a hundred", floor * 1000, "ms/job")]
            + set.flatMap { name, _, _ in figures(name, costs[name] ?? [], floor) }
    }

    private static let goals = [
        "one process": 1.5, "a process a service": 2, "one process, services of 100 ms": 3,
    ]

    private static func figures(_ name: String, _ costs: [Cost], _ floor: Double) -> [Figure] {
        func each(_ part: (Cost) -> Double) -> Double { costs.map(part).median / jobs * 1000 }
        return [
            Figure("\(name): of farm", each(\.farm), "ms/job"),
            Figure("of the broker", each(\.servers.broker), "ms/job"),
            Figure("of the database", each(\.servers.database), "ms/job"),
            Figure("all together", each(\.all) / floor / 1000, "floors", goal: goals[name].map { .atMost($0) }),
            Figure("jobs done", jobs / costs.map(\.wall).median, "jobs/s"),
            Figure("resident memory, at most", costs.map(\.memory).max() ?? .nan, "MB"),
        ]
    }

    // MARK: The floor

    /// - Returns: seconds of processor time for each job.
    private static func floor() async throws -> Double {
        let site = try await Site()
        let workplace = try Workplace(pictures: 0, size: (640, 480), environment: site.settings)
        try workplace.farm("init")
        // The first one's jobs make the queues.
        try await addImages(1...1, to: site)
        try workplace.farm("produce")
        try workplace.farm("purge", "--all", "--yes")
        try await addImages(2...Int(jobs), to: site)
        let body = workplace.path("body")
        try Data(Jobs.messages(1, for: ["yolov8"])[0].body).write(to: URL(filePath: body))
        try Data(Answers.data).write(to: URL(filePath: workplace.path("answer.json")))
        let count = "\(Int(jobs))"
        let rabbitMQ = site.rabbitMQ.settings(site.queue)
        let port = "\(site.rabbitMQ.port)"
        let parts: [(program: String, arguments: [String], environment: [String: String])] = [
            ("bare-rabbitmq", ["publish", port, count, "200", body, "queue_yolov8"], rabbitMQ),
            ("bare-rabbitmq", ["consume", port, count, "200", "100", "queue_yolov8"], rabbitMQ),
            ("bare-http", [count, "http://127.0.0.1:\(workplace.port)/yolov8?url=http://nas/1.jpg"], [:]),
            (
                "bare-postgresql",
                [
                    "unnest",
                    "host=127.0.0.1 port=\(site.postgreSQL.port) user=postgres dbname=\(site.store.name) sslmode=disable",
                    workplace.path("answer.json"), count, "100", "1",
                ], [:]
            ),
        ]
        var seconds = 0.0
        for part in parts {
            let before = ServerTime()
            let run = try Run(
                Programs.beside(part.program), part.arguments, in: workplace.folder.url, environment: part.environment)
            let servers = ServerTime() - before
            seconds += run.processor + servers.broker + servers.database
        }
        await site.remove()
        return seconds / jobs
    }

    // MARK: farm

    private static func work(_ commands: [[String]], delay: Int) async throws -> Cost {
        let site = try await Site()
        let workplace = try Workplace(pictures: 0, size: (640, 480), delay: delay, environment: site.settings)
        try workplace.farm("init")
        try await addImages(1...images, to: site)
        let before = ServerTime()
        let production = try workplace.farm("produce")
        let begin = Clock.wall
        let children = try commands.map { try workplace.start($0) }
        let rows = "SELECT count(*) FROM results WHERE status = 'success'"
        try await wait(
            for: "rows",
            {
                guard !children.contains(where: \.hasEnded) else { throw BenchFault("a worker has ended") }
                return try await site.number(rows)
            }, until: { $0 >= jobs })
        let wall = Clock.wall - begin
        let uses = try children.map { try Consumption(of: $0.pid) }
        // PostgreSQL's time for a connection counts for its parent at its end.
        for child in children { try child.terminate() }
        let servers = ServerTime() - before
        guard try await site.number(rows) == jobs else { throw BenchFault("not one row a job") }
        await site.remove()
        return Cost(
            farm: production.processor + uses.reduce(0) { $0 + $1.processor }, servers: servers, wall: wall,
            memory: uses.map(\.memory).max() ?? .nan)
    }

    private static func addImages(_ ids: ClosedRange<Int>, to site: Site) async throws {
        try await site.postgreSQL.run(
            """
            INSERT INTO images (image_url, image_filename)
            SELECT 'http://nas.local/coco2017/' || n || '.jpg', n || '.jpg' FROM generate_series(\(ids.lowerBound), \(ids.upperBound)) n
            """, in: site.store.name)
    }
}
