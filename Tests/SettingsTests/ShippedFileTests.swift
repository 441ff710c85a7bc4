import Foundation
import Testing

@testable import Settings

@Suite("The files that are shipped")
struct ShippedFileTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    }

    private func services(_ path: String) throws -> ServiceConfiguration {
        let settings = try Machine(["service_config.json": text(path)]).load()
        #expect(settings.warnings == [])
        return settings.services
    }

    @Test("config/service_config.json is the catalogue")
    func catalogue() throws {
        var shipped = try services("config/service_config.json")
        shipped.path = nil
        #expect(shipped == (try Machine().load().services))
    }

    @Test("k1 runs the consensus, k2 the enricher, which finds the crop services on the workstation")
    func roles() throws {
        let k1 = try services("config/machines/k1.json")
        #expect(k1.postProcessing == [.consensus])
        #expect(k1.services == [])
        let k2 = try services("config/machines/k2.json")
        #expect(k2.postProcessing == [.enricher])
        #expect(Set(k2.services.map(\.name)) == ["face", "pose", "colors"])
        #expect(k2.services.allSatisfy { $0.host == "workstation.local" })
        #expect(k2.services.allSatisfy { !$0.work || $0.category == .spatialOnly })
    }

    @Test("k3 and k4 work on their own services")
    func workers() throws {
        for (machine, names) in [("k3", ["blip", "clip", "yolov8"]), ("k4", ["rtdetr", "detectron2"])] {
            let services = try services("config/machines/\(machine).json")
            #expect(services.postProcessing == [])
            #expect(services.services.map(\.name) == names)
            #expect(services.services.allSatisfy { $0.work && $0.host == "localhost" })
        }
    }

    @Test("the workstation names all services, and works on those that no other machine has")
    func workstation() throws {
        let services = try services("config/machines/workstation.json")
        #expect(services.postProcessing == [.merger])
        #expect(services.services.count == 13)
        for service in services.services {
            let host =
                switch service.name {
                case "blip", "clip", "yolov8": "k3.local"
                case "rtdetr", "detectron2": "k4.local"
                default: "localhost"
                }
            #expect(service.host == host)
            #expect(service.work == (host == "localhost"))
        }
    }

    @Test("the boxes run every primary service and every role once")
    func cluster() throws {
        let boxes = try ["k1", "k2", "k3", "k4", "workstation"].map { try services("config/machines/\($0).json") }
        let workers = boxes.flatMap(\.services).filter { $0.work && $0.category == .primary }.map(\.name)
        let primary = try Machine().load().services.services.filter { $0.category == .primary }.map(\.name)
        #expect(workers.sorted() == primary.sorted())
        #expect(
            boxes.flatMap(\.postProcessing).map(\.rawValue).sorted() == [
                "bbox_merger", "consensus", "spatial_enrichment",
            ])
    }

    @Test(".env.example loads as it is")
    func example() throws {
        let settings = try Machine([".env": text(".env.example")]).load()
        #expect(settings.warnings == [])
        #expect(settings.queue == nil)
    }

    @Test(".env.example with every value set loads, and names every variable")
    func exampleInFull() throws {
        let set = try text(".env.example").replacing(#/(?m)^#(?=[A-Z_]+=)/#, with: "")
        for variable in Variable.allCases {
            #expect(set.contains("\n\(variable.rawValue)="), "\(variable.rawValue) is not in .env.example")
        }
        let files = #/(?m)^[A-Z_]+_(CA|PASSWORD|TOKEN|SECRET)_FILE=.*$/#
        let machine = try Machine([
            ".env": set.replacing(files, with: ""), "service_config.json": text("config/service_config.json"),
        ])
        let settings = try machine.load()
        #expect(settings.warnings == [])
        #expect(settings.queue?.user == "animal_farm")
        #expect(settings.database?.readHost == "192.168.0.131")
        #expect(settings.monitoringEnabled)
        #expect(settings.workerID == .prefix("farm"))

        let secured = set.replacing(#/(?m)_TLS=false$/#, with: "_TLS=true").replacing("prefer\n", with: "verify-full\n")
            .replacing(#/(?m)^[A-Z_]+_PASSWORD=.*$/#, with: "")
            // Tokens and keys are longer than this password.
            .replacing(#/(?m)^[A-Z_]+_(TOKEN|SECRET)_FILE=.*$/#, with: "")
            .replacing(#/(?m)_FILE=\/(run|etc)\/.*$/#, with: "_FILE=secret")
        try machine.write(secured, to: ".env")
        try machine.write("hunter2\n", to: "secret")
        let files2 = try machine.load()
        #expect(files2.warnings == [])
        #expect(files2.database?.password.reveal() == "hunter2")
        #expect(files2.queue?.port == 5672)
        #expect(files2.queue?.caFile == "secret")
    }

    @Test("the systemd unit gives a stopping role more than its time")
    func unit() throws {
        let unit = try text("config/systemd/farm.service")
        #expect(unit.contains("\nExecStart=/usr/local/bin/farm up\n"))
        #expect(unit.contains("\nRestart=always\n"))
        #expect(unit.contains("\nKillSignal=SIGTERM\n"))
        let match = try #require(unit.firstMatch(of: #/\nTimeoutStopSec=(\d+)\n/#))
        let seconds = try #require(Int(match.1))
        #expect(.seconds(seconds) > (try Machine().load().shutdownTimeout))
    }
}
