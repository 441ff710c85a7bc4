import ArgumentParser
import Composition
import Model
import Operations
import Pipeline
import Waiting

struct TryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Calls a service once and shows its answer and what farm reads from it; stores nothing.",
        discussion: """
            The address comes from this machine's service_config.json, or else is localhost and the catalogue's port. \
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
        for warning in session.settings.warnings { session.log("farm").warning("\(warning)") }
        let trial = ServiceTrial(try session.settings.knownService(named: service), session.context)
        let drain = Signals.shared.drain()
        guard let outcome = try await drain.until({ await trial.run(photo) }) else { return }
        switch outcome {
        case .answered(let report): Terminal.output(json ? report.json.text : report.text)
        case .failed(let failure):
            if json { Terminal.output(trial.json(of: failure).text) }
            throw CommandFailure.failed("\(failure.kind.rawValue): \(failure.message)")
        }
    }
}
