/// One worker process on RabbitMQ and PostgreSQL: how near many calls at the same time come to what the service allows, and what
/// answers of several sizes and several concurrencies do to it.
enum WorkerBench {
    private static let rounds = Scale.of(3, quick: 1)
    private static let images = Scale.of(300, quick: 40)
    private static let sizes = [512, 4096, 61_440]
    private static let concurrencies = [1, 8, 64]

    static func run() async throws -> [Figure] {
        let slow = worker(
            "services of 50 ms", 64, Load(images: Scale.of(6400, quick: 1280), services: ["blip"], delay: 50))
        let bySize = sizes.map { worker("answers of \(kilobytes($0)) KB", 8, Load(images: images, answer: $0)) }
        let byConcurrency = concurrencies.map { worker("concurrency \($0)", $0, Load(images: images)) }
        let contenders = [slow] + bySize + byConcurrency
        let costs = try await Contest.rounds(rounds, contenders)
        let possible = 64 / 0.05
        return [
            Figure("one service of 50 ms, concurrency 64", costs[0].rate, "jobs/s"),
            Figure("of what the service allows", costs[0].rate / possible * 100, "%", goal: .atLeast(95)),
        ]
            + zip(contenders, costs).dropFirst().flatMap { contender, costs in
                [
                    Figure("eleven services at once, \(contender.name)", costs.rate, "jobs/s"),
                    Figure("farm, broker and database", costs.milliseconds(\.all), "ms/job"),
                    Figure("resident memory, at most", costs.map(\.resident).max() ?? .nan, "MB"),
                ]
            }
    }

    private static func worker(_ name: String, _ concurrency: Int, _ load: Load) -> FarmWorkers {
        FarmWorkers(
            name: name, load: load, commands: [["work"] + load.services + ["--concurrency", "\(concurrency)"]])
    }

    private static func kilobytes(_ bytes: Int) -> String { Figure.text(Double(bytes) / 1024) }
}
