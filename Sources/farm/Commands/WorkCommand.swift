import ArgumentParser
import Composition
import Foundation
import Model
import Pipeline
import Roles
import Settings

struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract:
            "Takes jobs of one or more services, calls the services, stores their answers, and triggers post-processing.",
        discussion: """
            A service of the catalogue that this machine's service_config.json does not name is called at localhost and \
            the catalogue's port. Ctrl-C or SIGTERM drains: jobs in flight are finished or given back.

            Examples:
              farm work blip
              farm work yolov8 rtdetr --concurrency 2
              SERVICE_NAME=blip farm work
            """)

    @Argument(
        help: "The services. Without any, the variable SERVICE_NAME names one.",
        completion: .list(CatalogueService.all.map(\.name)))
    var services: [String] = []
    @Option(parsing: .unconditional, help: "Calls in flight for each service, instead of the configured number.")
    var concurrency: Int?
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if let concurrency, !(1...1000).contains(concurrency) {
            throw ValidationError("--concurrency must be 1 to 1000, is \(concurrency).")
        }
    }

    func run() async throws {
        let settled = try SettledSession(options)
        let chosen = try choose(settled.settings)
        try await settled.serve { session, drain in
            for service in chosen where session.settings.services.service(named: service.name) == nil {
                session.log("farm").warning(
                    "\(service.name) is not in service_config.json: taken at \(service.host):\(service.port)")
            }
            let factory = RoleFactory(session.context, session.backends)
            let roles = chosen.map { factory.worker($0, isOneOfSeveral: chosen.count > 1) }
            await Serving(factory: factory).run(roles, drain: drain)
        }
    }

    private func choose(_ settings: Settings) throws -> [ServiceSettings] {
        let names = services.isEmpty ? settings.serviceName.map { [$0] } ?? [] : services
        guard !names.isEmpty else {
            throw CommandFailure.unusable("which service? farm work SERVICE, or SERVICE_NAME in the environment")
        }
        var chosen: [ServiceSettings] = []
        for name in names where !chosen.contains(where: { $0.name == name }) {
            var service = try settings.knownService(named: name)
            if let concurrency { service.concurrency = concurrency }
            chosen.append(service)
        }
        return chosen
    }
}
