import Foundation

/// A way to do jobs of images × services: farm's, or that of another task queue. All of them are measured by `Contest`.
protocol Contender: Sendable {
    var name: String { get }
    var load: Load { get }
    /// What a job may cost farm, broker and database together, in floors.
    var goal: Double? { get }

    /// Submits all jobs.
    /// - Returns: seconds of processor time.
    func produce(in place: Contest.Place) throws -> Double
    /// Starts what works on them.
    func start(in place: Contest.Place) throws -> [Child]
    /// How much is still to be done, once every job has its row.
    func left(in place: Contest.Place) async throws -> Double
}

extension Contender {
    func left(in place: Contest.Place) async throws -> Double { 0 }
}

/// What there is to do.
struct Load: Sendable {
    var images: Int
    var services = Workplace.services
    /// How long after a call the services answer, in milliseconds.
    var delay = 0
    /// Bytes of an answer.
    var answer = 4096

    var jobs: Double { Double(images * services.count) }
}

/// farm's workers, in one process or several: rows of `results`, and triggers that nobody takes.
struct FarmWorkers: Contender {
    var name: String
    var load: Load
    var goal: Double?
    var commands: [[String]]

    func produce(in place: Contest.Place) throws -> Double {
        try place.workplace.farm("produce", "--services", load.services.joined(separator: ",")).processor
    }

    func start(in place: Contest.Place) throws -> [Child] { try commands.map { try place.workplace.start($0) } }
}

/// `farm up`: workers and all roles, so that merging, crops and consensus follow.
struct FarmUp: Contender {
    var name: String
    var load: Load
    var goal: Double?

    func produce(in place: Contest.Place) throws -> Double { try place.workplace.farm("produce").processor }

    func start(in place: Contest.Place) throws -> [Child] { [try place.workplace.start(["up"])] }

    func left(in place: Contest.Place) async throws -> Double {
        let boxes = load.images * PipelineBench.questions
        let rows = try await place.site.number(
            """
            SELECT \(load.images) - (SELECT count(*) FROM consensus)
                + \(boxes) - (SELECT count(*) FROM postprocessing WHERE status = 'success')
            """)
        return rows > 0 ? rows : try await place.site.messages()
    }
}

/// Another task queue, by its program under Benchmarks/Others.
struct OtherQueue: Contender {
    var name: String
    var load: Load
    let goal: Double? = nil
    /// The program that submits: `celery_app.py`.
    var program: String
    /// The command that works.
    var command: [String]

    private static let folder = Programs.root.appending(path: "Benchmarks/Others").path
    private static let environment = Programs.root.appending(path: ".build-others/bin").path

    func produce(in place: Contest.Place) throws -> Double {
        try Run(
            "\(OtherQueue.environment)/python", ["\(OtherQueue.folder)/\(program)", "\(load.images)"],
            in: place.workplace.folder.url, environment: variables(place)
        ).processor
    }

    func start(in place: Contest.Place) throws -> [Child] {
        [
            try Child(
                "\(OtherQueue.environment)/\(command[0])", Array(command.dropFirst()), in: place.workplace.folder.url,
                environment: variables(place))
        ]
    }

    private func variables(_ place: Contest.Place) -> [String: String] {
        place.site.settings.merging([
            "SERVICE_URL": "http://127.0.0.1:\(place.workplace.port)", "PYTHONPATH": OtherQueue.folder,
            "PYTHONDONTWRITEBYTECODE": "1",
        ]) { $1 }
    }
}
