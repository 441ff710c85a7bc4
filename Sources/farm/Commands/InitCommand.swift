import ArgumentParser
import Composition
import Model
import Pipeline

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Creates or upgrades tables, indexes and queues. It can be run again safely.",
        discussion: """
            It also works on a database in which another program created the tables images, results, merged_boxes, \
            consensus and postprocessing: it adds what is missing, and nothing is lost.

            Example:
              farm init
            """)
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await OpenSession.with(options) {
            (try await Backends.open($0), monitoring: await $0.monitoringDatabase()?.schema)
        } _: { session in
            let (backends, monitoring) = session.backends
            let done = try await backends.schema.prepare()
            for line in done { Terminal.output(line) }
            let queues = session.settings.queues
            try await backends.queue.declare(queues)
            for line in try await monitoring?.prepare() ?? [] { Terminal.output(line) }
            Terminal.output("ready: \(backends.description); \(queues.count) queues")
        }
    }
}
