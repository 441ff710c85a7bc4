import ArgumentParser
import Model
import Pipeline

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Creates or upgrades tables, indexes and queues; safe to run again.",
        discussion: """
            Works on a database that another program created with the tables of images, results, merged_boxes, \
            consensus and postprocessing: what is missing is added, nothing is lost.

            Example:
              farm init
            """)
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await Session.with(options) { session in
            let done = try await session.backends.schema.prepare()
            let queues =
                Fleet(session).configuration.services.map(\.queue) + PostProcessing.allCases.map(\.queue)
            try await session.backends.queue.declare(queues)
            for line in done { Terminal.output(line) }
            Terminal.output("ready: \(session.backends.description); \(queues.count) queues")
        }
    }
}
