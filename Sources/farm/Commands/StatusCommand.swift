import ArgumentParser
import Composition
import Model
import Operations
import Pipeline

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the queues, the results of each service, and totals of boxes, consensus and enrichments.",
        discussion: """
            Only workers that are alive are counted. The state says why a queue does not move, such as no worker, or \
            a service that is down and where, or a database that cannot be reached.

            oldest is how long the first message has waited, if the queue can tell (RabbitMQ cannot). done/s is the rate \
            over the last five minutes. ETA is when the waiting jobs will be done: at the rate of the last five minutes \
            and of the last hour, minus what comes in meanwhile.

            Counts above 10,000 are marked with ≈. farm keeps them with every write, so showing them costs the same \
            however large the tables are. --exact counts every row, and corrects what is kept.

            If the broker or the store cannot be reached, farm shows what the \
            other one knows, gives the reason, and exits with 1.

            Examples:
              farm status
              farm status --watch
              farm status --exact
              farm status --json | jq '.queues[] | select(.dead > 0)'
              farm status --json | jq '.queues[] | select(.why) | {queue, why}'
            """)

    @Flag(help: "Redraw it every two seconds, until Ctrl-C.") var watch = false
    @Flag(help: "Count every row.") var exact = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await OpenSession.with(options, logs: .ifPossible, metrics: watch ? .ifFree : nil) {
            ReadingBackends($0)
        } _: { session in
            try await session.sampling { try await draw(session) }
        }
    }

    private func draw(_ session: OpenSession<ReadingBackends>) async throws {
        var fault: PortFault?
        try await Redrawing(isWatched: watch, isJSON: json).run {
            let status = try await FarmStatus(
                session.backends, session.settings.directory,
                readsReplica: session.settings.database?.readHost != nil, exact: exact)
            fault = status.fault
            return json ? status.json.text : status.text
        }
        if let fault, !watch { throw CommandFailure.failed("only a part could be read: \(fault)") }
    }
}
