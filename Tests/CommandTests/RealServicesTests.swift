import Foundation
import Model
import Testing

/// The example services on real models, on loopback ports of their own.
private final class ExampleServices: Sendable {
    private let running: Running

    private init(_ running: Running) { self.running = running }

    deinit { running.signal(SIGTERM) }

    /// Writes the demo's configuration with free ports into the workplace and starts the services on them.
    static func start(in workplace: Workplace) async throws -> ExampleServices {
        let services = Program.root.appending(path: "examples/services")
        let python = services.appending(path: ".venv/bin/python3")
        try #require(
            FileManager.default.isExecutableFile(atPath: python.path),
            "no examples/services/.venv: `make setup` makes it")
        let configuration = try JSON(
            parsing: String(contentsOf: services.appending(path: "service_config.json"), encoding: .utf8))
        let entries = try #require(configuration["services"]?.objectValue)
        var ports = try ServiceDoubles.freePorts(entries.count).makeIterator()
        let moved = entries.map { entry -> JSON.Member in
            guard let port = entry.value["port"]?.integerValue, port > 0, let free = ports.next() else { return entry }
            let members = (entry.value.objectValue ?? []).map {
                $0.key == "port" ? JSON.Member("port", .int(Int64(free))) : $0
            }
            return JSON.Member(entry.key, .object(members))
        }
        try workplace.write("service_config.json", JSON.object(["services": .object(moved)]).text)
        let ready = workplace.path("services-ready")
        let running = try Running(
            python,
            [services.appending(path: "serve.py").path, "--ports-from", "service_config.json", "--ready-file", ready],
            in: workplace.folder, ["PATH": "/usr/bin:/bin", "HOME": workplace.folder.path])
        try await eventually("the services are ready") {
            FileManager.default.fileExists(atPath: ready) || !running.isRunning
        }
        try #require(FileManager.default.fileExists(atPath: ready), "\(running.error)")
        return ExampleServices(running)
    }

    func stop() async throws {
        running.signal(SIGTERM)
        _ = try await running.finished()
    }
}

@Suite("On real services", .serialized)
struct RealServicesTests {
    /// One photo's document in what `farm run --json` prints.
    private struct Photo {
        let json: JSON

        var boxes: [JSON] { (json["merged_boxes"]?.arrayValue ?? []).compactMap { $0["merged_data"] } }

        func boxes(_ label: String) -> [JSON] { boxes.filter { $0["label"]?.stringValue == label } }

        func services(_ box: JSON) -> [String] {
            (box["contributing_services"]?.arrayValue ?? []).compactMap(\.stringValue)
        }

        func votes(_ emoji: String) -> Int {
            let entries = json["consensus"]?["votes"]?["consensus"]?.arrayValue ?? []
            return entries.first { $0["emoji"]?.stringValue == emoji }?["votes"]?.integerValue ?? 0
        }

        func predictions(_ service: String) -> [JSON] {
            (json["results"]?.arrayValue ?? []).first { $0["service"]?.stringValue == service }?["data"]?[
                "predictions"]?
                .arrayValue ?? []
        }
    }

    @Test("the pipeline finds on the sample photos what a person sees in them")
    func findsWhatIsThere() async throws {
        let workplace = try Workplace()
        let services = try await ExampleServices.start(in: workplace)
        let photos = Program.root.appending(path: "examples/photos").path
        // On a busy machine these services take longer than a minute for a photo.
        let run = try await workplace.farm(
            "run", photos, "--json", "--pictures", "annotated", environment: ["REQUEST_TIMEOUT": "85"])
        try #require(run.status == 0, "\(run.error)")
        let documents = try #require(try run.json().arrayValue)
        #expect(documents.count == 15)
        func photo(_ name: String) throws -> Photo {
            Photo(
                json: try #require(documents.first { $0["image"]?["image_filename"]?.stringValue == name }, "\(name)"))
        }

        let camera = try photo("camera.png")
        #expect(
            camera.boxes("person").contains { camera.services($0).count == 3 }, "the man with the camera, by all three")
        let pedestrians = try photo("pedestrians_1.jpg")
        #expect(
            pedestrians.boxes("person").count { pedestrians.services($0).count == 3 } >= 2, "pedestrians by all three")
        let parking = try photo("sign_parking.jpg")
        #expect(
            parking.boxes("car").contains { parking.services($0).count == 2 }, "the car at the parking sign, by two")
        #expect(try !photo("two_dogs.jpg").boxes("dog").isEmpty, "a dog")
        #expect(try !photo("wine_room.jpg").boxes("bottle").isEmpty, "a bottle")
        #expect(try photo("coffee.png").votes("☕") >= 2, "☕ among the coffee's votes")
        #expect(try photo("coffee_exif_gps.jpg").votes("☕") >= 2, "also when the photo is stored rotated")
        let cat = try photo("chelsea.png").predictions("inception_v3")
        #expect(
            cat.contains { $0["label"]?.stringValue?.split(separator: " ").contains("cat") == true },
            "a cat, by the classifier")

        let astronaut = try photo("astronaut.png")
        let person = try #require(astronaut.boxes("person").compactMap { Box($0["merged_bbox"]) }.first)
        let enrichments = astronaut.json["postprocessing"]?.arrayValue ?? []
        let faces = enrichments.filter { $0["service"]?.stringValue == "face" }
            .flatMap { $0["data"]?["predictions"]?.arrayValue ?? [] }.compactMap { Box($0["image_bbox"]) }
        let face = try #require(faces.first, "the astronaut's face")
        #expect(face.x >= person.x && face.y >= person.y, "inside her box")
        #expect(face.x + face.width <= person.x + person.width && face.y + face.height <= person.y + person.height)

        let pictures = try FileManager.default.contentsOfDirectory(atPath: workplace.path("annotated"))
        #expect(pictures.count == 15)
        #expect(try await workplace.count("SELECT count(*) FROM results WHERE status <> 'success'") == 0)

        let again = try await workplace.farm("run", photos, "--json")
        #expect(again.status == 0, "\(again.error)")
        #expect(try await workplace.count("SELECT count(*) FROM results") == 15 * 8, "a second run asks nobody again")
        try await services.stop()
    }
}
