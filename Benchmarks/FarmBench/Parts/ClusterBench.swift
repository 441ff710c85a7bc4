import Foundation

/// The whole pipeline on RabbitMQ, PostgreSQL and MariaDB: by one `farm up`, then by a process for every role.
enum ClusterBench {
    private static let images = Scale.of(1000, quick: 40)
    /// For the workers' time, which is measured in turn with that of plain C programs.
    private static let fewer = Scale.of(400, quick: 30)
    private static let rounds = Scale.of(3, quick: 1)
    /// Two megapixels.
    private static let large = (width: 1632, height: 1224)

    static func run() async throws -> [Figure] {
        let together = try await Round.run(images, (1152, 864), [["up"]])
        let roles = Workplace.services.map { ["work", $0] } + [["merge"], ["enrich"], ["consense"]]
        var apart: [Round] = []
        var bare: [(posts: Double, all: Double)] = []
        for _ in 0..<rounds {
            apart.append(try await Round.run(fewer, large, roles))
            bare.append(try await bareWorkers())
        }
        func cost(_ uses: [Round.Use], _ images: Int) -> Double {
            uses.reduce(0) { $0 + $1.own } / Double(images * Workplace.services.count) * 1000
        }
        func memory(_ uses: [Round.Use]) -> Double { uses.map(\.used.memory).max() ?? .nan }
        let jobs = Double(fewer * Workplace.services.count)
        let workers = apart.map { cost($0.uses.filter { $0.role == "work" }, fewer) }.median
        let plain = bare.map { $0.all / jobs * 1000 }.median
        return [
            Figure("1 megapixel, `farm up`: processor time, pictures aside", cost(together.uses, images), "ms/job"),
            Figure("resident memory", memory(together.uses), "MB"),
            Figure(
                "jobs done, with all that follows from them",
                Double(images * Workplace.services.count) / together.wall, "jobs/s"),
            Figure("2 megapixels, a process a role: processor time of the workers", workers, "ms/job"),
            Figure("the same jobs by bare librabbitmq, libcurl and libpq", plain, "ms/job"),
            Figure("of it the posts alone", bare.map { $0.posts / jobs * 1000 }.median, "ms/job"),
            Figure("ratio", workers / plain, "times", goal: .atMost(1.6)),
            Figure("of all roles, pictures aside", apart.map { cost($0.uses, fewer) }.median, "ms/job"),
        ]
            + ["work", "merge", "enrich", "consense"].map { role in
                let uses = apart.flatMap(\.uses).filter { $0.role == role }
                return Figure("resident memory of `farm \(role)`, at most", memory(uses), "MB", goal: .atMost(40))
            }
            + [
                Figure(
                    "2 megapixels, `farm up`: resident memory, at most",
                    memory(try await Round.run(images / 4, large, [["up"]]).uses), "MB", goal: .atMost(100))
            ]
    }
}

extension ClusterBench {
    /// The workers' jobs by plain C programs, one a service: what the libraries take at least.
    /// - Returns: seconds of processor time.
    private static func bareWorkers() async throws -> (posts: Double, all: Double) {
        let site = try await Site()
        let workplace = try Workplace(pictures: fewer, size: large, environment: site.settings)
        try workplace.farm("init")
        try workplace.farm("import", "photos")
        try workplace.farm("produce")
        let children = try Workplace.services.map { service in
            let triggers = Workplace.detectors.contains(service) ? "queue_bbox_merge" : "queue_consensus"
            return try workplace.start(
                Programs.beside("bare-worker"),
                [
                    "\(fewer)", "32", "queue_\(service)", triggers, service,
                    "http://127.0.0.1:\(workplace.port)/\(service)",
                ])
        }
        let seconds = try children.map { child in
            try child.finished().split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        }
        guard seconds.allSatisfy({ $0.count == 2 }) else { throw BenchFault("bare-worker printed \(seconds)") }
        let rows = try await site.number("SELECT count(*) FROM results WHERE status = 'success'")
        guard rows == Double(fewer * Workplace.services.count) else {
            throw BenchFault("\(rows) rows by bare workers")
        }
        await site.remove()
        return (seconds.reduce(0) { $0 + $1[0] }, seconds.reduce(0) { $0 + $1[1] })
    }
}

/// All images once through the pipeline.
private struct Round {
    struct Use {
        /// The command: `work`.
        var role: String
        var used: Consumption
        /// Processor seconds but for decoding, cropping and encoding.
        var own: Double { used.processor - (used.byThread[PipelineBench.decodingThreads] ?? 0) }
    }

    /// Seconds.
    var wall: Double
    var uses: [Use]

    static func run(_ images: Int, _ size: (width: Int, height: Int), _ commands: [[String]]) async throws -> Round {
        let site = try await Site()
        let workplace = try Workplace(pictures: images, size: size, environment: site.settings)
        try workplace.farm("init")
        try workplace.farm("import", "photos")
        try workplace.farm("produce")
        let begin = Clock.wall
        let children = try commands.map { try workplace.start($0) }
        try await wait(
            for: "images without their consensus",
            {
                guard !children.contains(where: \.hasEnded) else { throw BenchFault("a role has ended") }
                return try await site.number("SELECT \(images) - (SELECT count(*) FROM consensus)")
            }, until: { $0 <= 0 })
        try await wait(for: "messages", { try await site.messages() }, until: { $0 == 0 })
        let wall = Clock.wall - begin
        let uses = try zip(commands, children).map { Use(role: $0[0], used: try Consumption(of: $1.pid)) }
        for child in children { try child.terminate() }
        try await check(site, images)
        await site.remove()
        return Round(wall: wall, uses: uses)
    }

    private static func check(_ site: Site, _ images: Int) async throws {
        let expected = [
            "SELECT count(*) FROM results WHERE status = 'success'": images * Workplace.services.count,
            "SELECT count(*) FROM merged_boxes": images * PipelineBench.boxes,
            "SELECT count(*) FROM postprocessing WHERE status = 'success'": images * PipelineBench.questions,
            "SELECT count(*) FROM consensus WHERE jsonb_array_length(consensus_data -> 'services_list') = 11": images,
        ]
        for (sql, count) in expected {
            let found = Int(try await site.number(sql))
            guard found == count else { throw BenchFault("\(found) instead of \(count): \(sql)") }
        }
    }
}
