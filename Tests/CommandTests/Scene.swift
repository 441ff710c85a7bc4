import Foundation
import Model
import Testing

/// A workplace with photos, doubles of services and a service_config.json that names them.
struct Scene {
    /// Two detectors, two classifiers and the crop services: what every part of the pipeline needs.
    static let services = ["yolov8", "rtdetr", "clip", "inception_v3", "colors", "face", "pose"]
    /// Of them the primary ones: a job each for an image.
    static let primary = 5
    /// What is tried again is tried at once, so that no test waits for it.
    static let impatient = ["RETRY_DELAY": "0", "HEARTBEAT_INTERVAL": "0.2"]

    let workplace: Workplace
    let doubles: ServiceDoubles

    /// - Parameters:
    ///   - photos: How many; they are imported, as photos/1.jpg and so on.
    ///   - gate: The services answer only once the file `gate` is away.
    ///   - absent: Services that are configured at a port where nobody listens.
    init(
        _ services: [String] = services, photos: Int, gate: Bool = false,
        failing: [(service: String, text: String)] = [], absent: [String] = []
    ) async throws {
        workplace = try Workplace()
        if gate { try workplace.write("gate", "") }
        doubles = try await ServiceDoubles.start(
            services, gate: gate ? "gate" : nil, failing: failing, in: workplace)
        let nowhere = try zip(absent, ServiceDoubles.freePorts(absent.count)).map { (service: $0, port: $1) }
        try workplace.configure(doubles.ports + nowhere)
        guard photos > 0 else { return }
        try workplace.photos((1...photos).map { "photos/\($0).jpg" })
        let imported = try await workplace.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
    }

    func openGate() throws { try FileManager.default.removeItem(atPath: workplace.path("gate")) }

    /// Runs the pipeline over the submitted jobs.
    func upUntilIdle() async throws -> Finished {
        try await workplace.farm("up", "--until-idle", environment: Scene.impatient)
    }

    func produce() async throws {
        let produced = try await workplace.farm("produce")
        try #require(produced.status == 0, "\(produced.error)")
    }
}

extension Workplace {
    /// Copies of a small photo.
    func photos(_ names: [String]) throws { for name in names { try photo("coffee_exif_gps.jpg", as: name) } }

    /// Waits until a role that was started has taken up its work.
    func started(_ running: Running, _ service: String) async throws {
        try await eventually("the \(service) worker starts") {
            guard running.isRunning else {
                Issue.record("the \(service) worker has ended: \(running.error)")
                return true
            }
            guard FileManager.default.fileExists(atPath: path("farm.db")) else { return false }
            let tables = try await rows("SELECT name FROM sqlite_master WHERE name = 'worker_heartbeats'")
            guard !tables.isEmpty else { return false }
            let beats = try await rows(
                "SELECT worker_id FROM worker_heartbeats WHERE status = 'starting' AND service_name = '\(service)'")
            return beats.contains { $0.hasSuffix("_\(running.pid)") }
        }
    }
}

extension JSON: ExpressibleByDictionaryLiteral {
    /// An object whose members keep their order.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { JSON.Member($0.0, $0.1) })
    }

    /// The keys of an object, in their order.
    var keys: [String] { (objectValue ?? []).map(\.key) }
}

extension String {
    func occurrences(of text: String) -> Int { components(separatedBy: text).count - 1 }
}
