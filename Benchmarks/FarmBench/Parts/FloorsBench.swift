import Foundation

/// Jobs of services that answer at once and after 100 ms, on RabbitMQ and PostgreSQL. What a job costs farm, broker and
/// database together is held against its floor: what its parts cost alone, client and server together, in the same run. Other
/// task queues do the same jobs in turn with farm.
enum FloorsBench {
    private static let images = Scale.of(1000, quick: 100)
    /// For what takes longer.
    private static let fewer = Scale.of(400, quick: 40)
    private static let rounds = Scale.of(3, quick: 1)

    private static let contenders: [any Contender] = {
        let together = [["work"] + Workplace.services]
        let slow = Load(images: fewer, delay: 100)
        let celery = ["celery", "-A", "celery_app", "worker", "--loglevel", "WARNING"]
        return [
            FarmWorkers(name: "one process", load: Load(images: images), goal: 1.5, commands: together),
            FarmWorkers(
                name: "a process a service", load: Load(images: images), goal: 2,
                commands: Workplace.services.map { ["work", $0] }),
            FarmWorkers(name: "one process, services of 100 ms", load: slow, goal: 3, commands: together),
            FarmUp(name: "`farm up`, pictures aside", load: Load(images: fewer), goal: 5),
            FarmUp(
                name: "`farm up`, services of 100 ms, pictures aside",
                load: Load(images: Scale.of(200, quick: 40), delay: 100), goal: 7),
            OtherQueue(
                name: prefork, load: Load(images: fewer), program: "celery_app.py",
                command: celery + ["-P", "prefork", "-c", "16"]),
            OtherQueue(
                name: "Celery, gevent, 100 greenlets", load: Load(images: fewer), program: "celery_app.py",
                command: celery + ["-P", "gevent", "-c", "100"]),
            OtherQueue(
                name: dramatiq, load: Load(images: fewer), program: "dramatiq_app.py",
                command: ["dramatiq", "dramatiq_app", "--processes", "2", "--threads", "8"]),
        ]
    }()
    private static let prefork = "Celery, prefork, 16 processes"
    private static let dramatiq = "Dramatiq, 2 processes of 8 threads"

    static func run() async throws -> [Figure] {
        var floors: [Double] = []
        let costs = try await Contest.rounds(
            rounds, contenders,
            before: { floors.append(try await Floor.measure(jobs: images * Workplace.services.count)) })
        let floor = floors.median * 1000
        func rate(_ name: String) -> Double {
            zip(contenders, costs).first { $0.0.name == name }?.1.rate ?? .nan
        }
        return [Figure("floor: publish, consume, one request, a row of a hundred", floor, "ms/job")]
            + zip(contenders, costs).flatMap { figures($0, $1, floor) } + [
                Figure(
                    "jobs/s of farm, one process: of Celery's, prefork", costs[0].rate / rate(prefork), "times",
                    goal: .atLeast(10)),
                Figure("of Dramatiq's", costs[0].rate / rate(dramatiq), "times", goal: .atLeast(8)),
            ]
    }

    private static func figures(_ contender: any Contender, _ costs: [Contest.Cost], _ floor: Double) -> [Figure] {
        let whose = contender is OtherQueue ? "of its processes" : "of farm"
        let jobs =
            contender is FarmUp
            ? Figure("jobs done, with all that follows from them", costs.map { $0.jobs / $0.wall }.median, "jobs/s")
            : Figure("jobs done", costs.rate, "jobs/s")
        return [
            Figure("\(contender.name): \(whose)", costs.milliseconds(\.own), "ms/job"),
            Figure("of the broker", costs.milliseconds(\.servers.broker), "ms/job"),
            Figure("of the database", costs.milliseconds(\.servers.database), "ms/job"),
            Figure(
                "all together", costs.milliseconds(\.all) / floor, "floors", goal: contender.goal.map { .atMost($0) }),
            jobs,
            Figure("memory of all its processes, at most", costs.map(\.memory).max() ?? .nan, "MB"),
            Figure("resident memory of one process, at most", costs.map(\.resident).max() ?? .nan, "MB"),
        ]
    }
}
