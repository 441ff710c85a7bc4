import Foundation
import Model

/// A folder in which farm runs, with pictures, the double of the services and a service_config.json that names them. The double
/// serves the first picture, too, by any URL of the form http://127.0.0.1:PORT/photo/NAME.
final class Workplace {
    /// The catalogue's primary services: a job each for every image.
    static let services = CatalogueService.all.filter { $0.category == .primary }.map(\.name)
    static let detectors = CatalogueService.all.filter { $0.evidence == .spatial }.map(\.name)

    let folder: TemporaryFolder
    /// Where the double of the services listens.
    private(set) var port = 0
    private let double: Child
    private let environment: [String: String]

    /// - Parameters:
    ///   - pictures: how many are made, as photos/000001.jpg and so on.
    ///   - size: of each, in pixels.
    ///   - delay: how long after a call the services answer, in milliseconds.
    ///   - answer: how long an answer is, in bytes.
    ///   - environment: settings, such as those of servers.
    init(
        pictures: Int, size: (width: Int, height: Int), delay: Int = 0, answer: Int = 4096,
        environment: [String: String] = [:]
    ) throws {
        folder = try TemporaryFolder()
        self.environment = environment
        let photos = folder.url.appending(path: "photos")
        try FileManager.default.createDirectory(at: photos, withIntermediateDirectories: true)
        let sources = ["china", "flower", "two_dogs", "wine_room", "fruits", "pedestrians_1"].map {
            Programs.root.appending(path: "examples/photos/\($0).jpg").path
        }
        if pictures > 0 {
            try Child(
                Programs.beside("bare-pictures"),
                ["make", photos.path, "\(pictures)", "\(size.width)", "\(size.height)"] + sources, in: folder.url
            ).finished()
        }
        double = try Child(
            Programs.beside("service-double"),
            ["\(size.width)", "\(size.height)", "\(delay)", "\(answer)"]
                + (pictures > 0 ? [photos.appending(path: "000001.jpg").path] : []),
            in: folder.url)
        while double.output.isEmpty {
            guard !double.hasEnded else { throw BenchFault("service-double: \(double.errors)") }
            // Before anything is measured; nobody tells when a file is written.
            usleep(1000)
        }
        port = Int(try Programs.number(double.output))
        try configure()
    }

    private func configure() throws {
        var services = CatalogueService.all.map { service in
            JSON.Member(
                service.name,
                .object([
                    "host": "127.0.0.1", "port": .int(Int64(port)), "endpoint": .string("/\(service.name)"),
                    "category": .string(service.category.rawValue),
                ]))
        }
        services += PostProcessing.allCases.map {
            JSON.Member($0.rawValue, .object(["host": "localhost", "port": 0, "category": "post_processing"]))
        }
        let json = JSON.object(["services": .object(services)])
        try Data(json.bytes).write(to: folder.url.appending(path: "service_config.json"))
    }

    func path(_ name: String) -> String { folder.path(name) }

    /// Starts a command that goes on running.
    func start(_ arguments: [String]) throws -> Child {
        try Child(Programs.farm, arguments, in: folder.url, environment: environment)
    }

    /// Starts another program, with the same settings.
    func start(_ program: String, _ arguments: [String]) throws -> Child {
        try Child(program, arguments, in: folder.url, environment: environment)
    }

    /// Runs a command to its end.
    @discardableResult
    func farm(_ arguments: String...) throws -> Run {
        try Run(Programs.farm, arguments, in: folder.url, environment: environment)
    }
}
