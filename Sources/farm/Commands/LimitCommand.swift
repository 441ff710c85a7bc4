import ArgumentParser
import Model
import Operations
import Pipeline

struct LimitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit",
        abstract:
            "Limits how many jobs of a service all machines together take, or how many calls each worker makes at once.",
        discussion: """
            The rate is that of the whole farm, however many workers there are. A job waits in its queue, not in a worker. \
            --concurrency is for each worker by itself, in place of what its configuration says. Every worker obeys within \
            five seconds, and limits outlast restarts. farm status shows them.

            Examples:
              farm limit blip 20/s
              farm limit ollama 5/min
              farm limit blip none
              farm limit clip --concurrency 2
              farm limit clip none --concurrency none     as it was
            """)

    @Argument(
        help: "The service or role; several with commas between them.",
        completion: .list(CatalogueService.all.map(\.name)))
    var service: String
    @Argument(help: ArgumentHelp("Jobs in a second, minute or hour: 20/s, 5/min, 100/h; or none.", valueName: "rate"))
    var rate: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Calls in flight for each worker, 1 to 1000; or none.", valueName: "calls"))
    var concurrency: String?
    @OptionGroup var control: ControlOptions

    func validate() throws {
        if rate == nil && concurrency == nil {
            throw ValidationError("Give a rate without a sign, such as 20/s, or none, or --concurrency.")
        }
    }

    func run() async throws {
        let rate = try rateSetting()
        let concurrency = try concurrencySetting()
        control.report(
            try await control.with { try await $0.limit([service], rate: rate, concurrency: concurrency) })
    }

    private func rateSetting() throws -> FleetControl.Setting<RateText> {
        guard let rate else { return .kept }
        return rate == "none" ? .none : .to(try RateText(rate))
    }

    private func concurrencySetting() throws -> FleetControl.Setting<Int> {
        guard let concurrency else { return .kept }
        if concurrency == "none" { return .none }
        guard let number = Int(concurrency) else {
            throw CommandFailure.unusable("--concurrency is 1 to 1000, or none, but not \(concurrency.prefix(40))")
        }
        return .to(number)
    }
}
