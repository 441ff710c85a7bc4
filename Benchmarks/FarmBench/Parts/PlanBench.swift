import Foundation
import Model

/// What `farm plan` says of a farm at work, against how long it then takes: three mixes of services that answer after a time.
enum PlanBench {
    /// A mix of services.
    private struct Mix {
        var name: String
        var images: Int
        /// The primary services with the milliseconds of a call.
        var services: [String: Int]
        /// The crop services that are no primary ones, likewise.
        var crops: [String: Int]
        /// What the plan has to name as the bottleneck. nil: any.
        var bottleneck: String?
    }

    private static let mixes = [
        Mix(
            name: "one slow service", images: 2600, services: ["yolov8": 20, "clip": 20, "blip": 100],
            crops: ["colors": 2, "face": 2, "pose": 2], bottleneck: "blip"),
        Mix(
            name: "all equal", images: 2200, services: ["yolov8": 80, "clip": 80, "blip": 80],
            crops: ["colors": 2, "face": 2, "pose": 2], bottleneck: nil),
        Mix(
            name: "enrichment dominates", images: 700, services: ["yolov8": 20, "clip": 20, "colors": 80],
            crops: ["face": 2, "pose": 2], bottleneck: "colors"),
    ]
    /// How long the farm works before it is asked. Its workers tell their rate every few seconds.
    private static let beforehand = 25.0

    static func run() throws -> [Figure] {
        try mixes.flatMap { try measure($0) }
    }

    private static func measure(_ mix: Mix) throws -> [Figure] {
        let workplace = try Workplace(
            pictures: mix.images, size: (320, 240), environment: ["HEARTBEAT_INTERVAL": "5", "LOG_LEVEL": "WARNING"])
        let doubles = try configure(mix, workplace)
        defer { withExtendedLifetime(doubles) {} }
        try workplace.farm("import", "photos")
        try workplace.farm("produce")
        let file = try EmbeddedFile(workplace.path("farm.db"))
        let up = try workplace.start(["up"])
        let begin = Clock.wall
        // As an operator who looks after a while; nothing else marks that moment.
        usleep(UInt32(beforehand * 1e6))
        let asked = Clock.wall
        let plan = try JSON(parsing: workplace.start(["plan", "--json"]).finished())
        guard let low = plan["seconds"]?["low"]?.numberValue, let mean = plan["seconds"]?["mean"]?.numberValue,
            let high = plan["seconds"]?["high"]?.numberValue
        else { throw BenchFault("\(mix.name): nothing was told: \(plan.text)") }
        let bottleneck = plan["bottleneck"]?["service"]?.stringValue
        guard mix.bottleneck == nil || mix.bottleneck == bottleneck else {
            throw BenchFault("\(mix.name): \(bottleneck ?? "nobody") holds it up, and not \(mix.bottleneck ?? "")")
        }
        try file.wait(
            """
            SELECT (SELECT count(*) FROM farm_queue) + (SELECT count(*) FROM farm_stale)
            """
        ) { left in
            // Seldom, since the query takes time of what is measured.
            usleep(20_000)
            return left == 0
        }
        let took = Clock.wall - asked
        try up.terminate()
        say("  \(mix.name): asked after \(Figure.text(asked - begin)) s, planned \(low)–\(high) s, took \(took) s")
        return [
            Figure("\(mix.name): planned", mean, "s"), Figure("\(mix.name): it took", took, "s"),
            Figure("\(mix.name): how far apart", abs(mean - took) / took * 100, "%", goal: .atMost(15)),
        ]
    }

    /// Starts a double for each time that calls take, and names it in the configuration.
    private static func configure(_ mix: Mix, _ workplace: Workplace) throws -> [Child] {
        var (doubles, ports): ([Child], [Int: Int]) = ([], [:])
        let spans = mix.services.merging(mix.crops) { first, _ in first }
        for span in Set(spans.values).sorted() {
            let double = try Child(
                Programs.beside("service-double"), ["320", "240", "\(span)"], in: workplace.folder.url)
            while double.output.isEmpty {
                guard !double.hasEnded else { throw BenchFault("service-double: \(double.errors)") }
                // Before anything is measured; nobody tells when a file is written.
                usleep(1000)
            }
            ports[span] = Int(try Programs.number(double.output))
            doubles.append(double)
        }
        var members = spans.sorted { $0.key < $1.key }.map { service, span in
            JSON.Member(
                service,
                .object([
                    "host": "127.0.0.1", "port": .int(Int64(ports[span] ?? 0)), "endpoint": .string("/\(service)"),
                    "category": .string(mix.services[service] == nil ? "spatial_only" : "primary"),
                ]))
        }
        members += PostProcessing.allCases.map {
            JSON.Member($0.rawValue, .object(["host": "localhost", "port": 0, "category": "post_processing"]))
        }
        let json = JSON.object(["services": .object(members)])
        try Data(json.bytes).write(to: workplace.folder.url.appending(path: "service_config.json"))
        return doubles
    }
}
