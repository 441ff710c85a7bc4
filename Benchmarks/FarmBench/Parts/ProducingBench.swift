import Foundation
import Servers

/// `farm produce` from PostgreSQL to RabbitMQ: how fast, held against the plain C client, and on how much memory.
enum ProducingBench {
    private static let (few, many) = (Scale.of(2000, quick: 500), Scale.of(20_000, quick: 4000))
    private static let rounds = Scale.of(5, quick: 1)
    /// Messages ahead of their confirmations: farm's own.
    private static let window = 500

    static func run() async throws -> [Figure] {
        let site = try await Site()
        let workplace = try Workplace(pictures: 0, size: (640, 480), environment: site.settings)
        try workplace.farm("init")
        let queues = Workplace.services.map { "queue_\($0)" }
        let bare = BareRabbitMQ(server: site.rabbitMQ, host: site.queue, folder: workplace.folder)
        try await add(images: 1...few, to: site)
        let body = Jobs.messages(1, for: ["yolov8"])[0].body
        try Data(body).write(to: URL(filePath: bare.body))

        var (small, large): ([Run], [Run]) = ([], [])
        for _ in 0..<rounds { small.append(try await produce(few, workplace, site)) }
        try await add(images: few + 1...many, to: site)
        var rates: [Double] = []
        for _ in 0..<rounds {
            large.append(try await produce(many, workplace, site))
            rates.append(try bare.publish(jobs(many), window, queues))
            try workplace.farm("purge", "--all", "--yes")
        }
        await site.remove()
        let wall = large.map(\.wall).median
        let growth = large.map(\.memory).median - small.map(\.memory).median
        return [
            Figure("`farm produce`, \(jobs(many)) jobs from its start to its end", Double(jobs(many)) / wall, "jobs/s"),
            Figure("as many by the plain C client", Double(jobs(many)) / rates.median, "jobs/s"),
            Figure("ratio", rates.median / wall, "times", goal: .atLeast(0.7)),
            Figure("its processor time", large.map(\.processor).median / Double(jobs(many)) * 1e6, "µs/job"),
            Figure("its memory at \(many) images × 11", large.map(\.memory).median, "MB"),
            Figure("more than at \(few) images × 11", growth, "MB", goal: .atMost(2)),
        ]
    }

    private static func jobs(_ images: Int) -> Int { images * Workplace.services.count }

    private static func produce(_ images: Int, _ workplace: Workplace, _ site: Site) async throws -> Run {
        let run = try workplace.farm("produce")
        let found = Int(try await site.messages())
        guard found == jobs(images) else { throw BenchFault("\(found) jobs submitted instead of \(jobs(images))") }
        try workplace.farm("purge", "--all", "--yes")
        return run
    }

    /// Rows only: a producer looks at no picture.
    private static func add(images: ClosedRange<Int>, to site: Site) async throws {
        try await site.postgreSQL.run(
            """
            INSERT INTO images (image_path, image_filename)
            SELECT '/srv/photos/coco2017/' || n || '.jpg', n || '.jpg'
            FROM generate_series(\(images.lowerBound), \(images.upperBound)) n
            """, in: site.store.name)
    }
}
