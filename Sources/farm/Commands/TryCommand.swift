import ArgumentParser
import Foundation
import Harmony
import ImageLists
import Imaging
import Model
import Pictures
import Pipeline
import Roles
import Services
import Settings
import Waiting

struct TryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Calls a service once and shows its answer and what farm reads from it; stores nothing.",
        discussion: """
            The address comes from this box's service_config.json, or else is localhost and the catalogue's port. \
            The output shows the votes and boxes that farm reads, and what does not count, with the reason.

            Examples:
              farm try yolov8 examples/photos/two_dogs.jpg
              farm try blip http://nas.local/photos/1.jpg
              farm try ocr receipt.png --json | jq .answer
            """)

    @Argument(help: "The service.", completion: .list(CatalogueService.all.map(\.name))) var service: String
    @Argument(help: "An image file, or its http or https URL.", completion: .file()) var photo: String
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let session = try SettledSession(options, logs: .ifPossible)
        let settings = session.settings
        for warning in settings.warnings { session.log("farm").warning("\(warning)") }
        let service = try settings.knownService(named: service)
        let client = ServiceClient(
            endpoint: service.triedOnce, client: HTTPClient(), policy: settings.images, time: session.time,
            log: session.log(service.name))
        let drain = Signals.shared.drain()
        guard let outcome = try await drain.until({ try await call(client, service, settings.images) }) else { return }
        switch outcome {
        case .answered(let answer):
            let report = TryReport(
                service: service, answer: answer,
                inspection: Inspection(
                    of: answer.json, service: service.name, evidence: service.evidence,
                    options: MergingOptions(
                        settings.services.merging, defaultConfidence: settings.defaultConfidence)))
            Terminal.output(json ? report.json.text : report.text)
        case .failed(let failure), .undecided(let failure):
            try fail(service, kind: failure.kind, failure.message, data: failure.json)
        case .unavailable(let reason):
            let failure = AnalysisFailure(
                kind: .connection, message: reason, tries: 0, firstFailure: SystemTime().now())
            try fail(service, kind: .connection, reason, data: failure.json)
        }
    }

    /// Looks at the photo as a worker does before it calls.
    private func call(
        _ client: ServiceClient, _ service: ServiceSettings, _ policy: ImagePolicy
    ) async throws -> AnalysisOutcome {
        do {
            switch (service.transport, ImageList.isURL(photo)) {
            case (.url, false):
                throw PictureFault(.image, "\(photo): \(service.name) is handed URLs only (\"transport\": \"url\")")
            case (.file, true):
                throw PictureFault(.image, "\(photo): \(service.name) is handed files only (\"transport\": \"file\")")
            case (_, true): return await client.analyze(.url(photo), key: UUID())
            case (_, false):
                let cropper = PictureCropper(parallelism: 1, root: policy.root)
                let isRead = service.accepts.contains(try await cropper.inspect(.file(photo)).format)
                let subject = isRead ? .file(path: photo) : try await cropper.jpeg(ofFile: photo)
                return await client.analyze(subject, key: UUID())
            }
        } catch let fault as PictureFault {
            return .failed(
                AnalysisFailure(kind: fault.kind, message: fault.message, tries: 0, firstFailure: SystemTime().now()))
        }
    }

    private func fail(_ service: ServiceSettings, kind: FailureKind, _ message: String, data: JSON) throws {
        if json {
            let error = data["error"] ?? .null
            Terminal.output(
                JSON.object([
                    "service": .string(service.name), "address": .string(service.address.address), "error": error,
                ]).text)
        }
        throw CommandFailure.failed("\(kind.rawValue): \(message)")
    }
}

extension ServiceSettings {
    /// Its address, for a call that is not tried again.
    fileprivate var triedOnce: ServiceEndpoint {
        var address = address
        address.maxTries = 1
        return address
    }
}
