import Foundation
import Servers

/// Measures what jobs cost a contender, broker and database, each time on a virtual host and a database of its own.
enum Contest {
    struct Place {
        var site: Site
        var workplace: Workplace
    }

    /// What all jobs took together.
    struct Cost {
        var jobs: Double
        /// Processor seconds of the contender, pictures aside: producing and working.
        var own = 0.0
        var servers: ServerTime
        /// Rows of `results` a second, from the first to the last one.
        var rate: Double
        /// Seconds from the start of the workers until all was done.
        var wall: Double
        /// Of all processes together, in MB (10⁶ bytes).
        var memory: Double
        /// The highest resident memory of one process, in MB.
        var resident: Double

        var all: Double { own + servers.broker + servers.database }
    }

    static func run(_ contender: any Contender) async throws -> Cost {
        let load = contender.load
        let site = try await Site()
        let workplace = try Workplace(
            pictures: 1, size: (640, 480), delay: load.delay, answer: load.answer, environment: site.settings)
        let place = Place(site: site, workplace: workplace)
        try workplace.farm("init")
        try await addImages(1...load.images, to: place)
        let before = ServerTime()
        let production = try contender.produce(in: place)
        let begin = Clock.wall
        let children = try contender.start(in: place)
        let rows = "SELECT count(*) FROM results WHERE status = 'success'"
        func alive<Number>(_ ask: () async throws -> Number) async throws -> Number {
            if let child = children.first(where: \.hasEnded) {
                throw BenchFault("\(contender.name): a worker has ended: \(child.errors.suffix(2000))")
            }
            return try await ask()
        }
        try await wait(for: "\(contender.name): rows", { try await alive { try await site.number(rows) } }) {
            $0 >= load.jobs
        }
        try await wait(for: "what follows", { try await alive { try await contender.left(in: place) } }) { $0 <= 0 }
        let wall = Clock.wall - begin
        let trees = try children.map { try ProcessTree(of: $0.pid) }
        let uses = try children.map { try Consumption(of: $0.pid) }
        // PostgreSQL's time for a connection counts for its parent at its end.
        for child in children { try child.terminate() }
        let servers = ServerTime() - before
        guard try await site.number(rows) == load.jobs else { throw BenchFault("\(contender.name): not one row a job") }
        let seconds = try await site.number(
            "SELECT extract(epoch FROM max(result_created) - min(result_created)) FROM results")
        await site.remove()
        let pictures = uses.reduce(0) { $0 + ($1.byThread[PipelineBench.decodingThreads] ?? 0) }
        return Cost(
            jobs: load.jobs, own: production + trees.reduce(0) { $0 + $1.processor } - pictures, servers: servers,
            rate: (load.jobs - 1) / seconds, wall: wall, memory: trees.reduce(0) { $0 + $1.memory },
            resident: uses.map(\.memory).max() ?? .nan)
    }

    /// Runs contenders in turn, so that what else the machine does meets them alike.
    /// - Parameter before: what else is measured in each round.
    /// - Returns: of each contender the cost of each round.
    static func rounds(
        _ count: Int, _ contenders: [any Contender], before: () async throws -> Void = {}
    ) async throws -> [[Cost]] {
        var costs = Array(repeating: [Cost](), count: contenders.count)
        for _ in 0..<count {
            try await before()
            for (place, contender) in contenders.enumerated() {
                say("  \(contender.name)")
                costs[place].append(try await run(contender))
            }
        }
        return costs
    }

    static func addImages(_ ids: ClosedRange<Int>, to place: Place) async throws {
        try await place.site.postgreSQL.run(
            """
            INSERT INTO images (image_url, image_filename)
            SELECT 'http://127.0.0.1:\(place.workplace.port)/photo/' || n || '.jpg', n || '.jpg'
            FROM generate_series(\(ids.lowerBound), \(ids.upperBound)) n
            """, in: place.site.store.name)
    }
}

extension [Contest.Cost] {
    /// The median of milliseconds a job.
    func milliseconds(_ part: (Contest.Cost) -> Double) -> Double { map { part($0) / $0.jobs }.median * 1000 }
    /// The median of rows a second.
    var rate: Double { map(\.rate).median }
}
