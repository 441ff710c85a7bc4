import Model
import Roles
import Settings

/// What `--services` names.
struct TargetChoice {
    let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    /// - Throws: `CommandFailure` that lists the known services when one is unknown.
    func targets(_ choice: String) throws -> [Target] {
        let configured = settings.services.services
        let chosen: [ServiceSettings]
        switch choice {
        case "all", "primary": chosen = configured.filter { $0.category == .primary }
        case "spatial_only": chosen = configured.filter { $0.category == .spatialOnly }
        case "full_catalog": chosen = configured + missingFromConfiguration
        default:
            let names = choice.split(separator: ",").map { String($0.filter { $0 != " " }) }
            let unknown = names.filter { service(named: $0) == nil }
            guard unknown.isEmpty, !names.isEmpty else {
                throw CommandFailure.unusable(
                    "unknown service \(unknown.joined(separator: ", ")); known are \(known.joined(separator: ", ")), "
                        + "and all, primary, spatial_only, full_catalog")
            }
            var seen: Set<String> = []
            chosen = names.filter { seen.insert($0).inserted }.compactMap(service)
        }
        guard !chosen.isEmpty else {
            throw CommandFailure.unusable("\(choice): this box's service_config.json names no such service")
        }
        return chosen.map { Target(service: $0.name, queue: $0.queue) }
    }

    /// The service by this box's configuration, else the catalogue's: a box may produce for what other boxes run.
    func service(named name: String) -> ServiceSettings? {
        settings.services.service(named: name) ?? settings.catalogueService(named: name)
    }

    /// - Throws: `CommandFailure` that lists the known services.
    func knownService(named name: String) throws(CommandFailure) -> ServiceSettings {
        guard let service = service(named: name) else {
            throw .unusable("unknown service \(name); known are \(known.joined(separator: ", "))")
        }
        return service
    }

    var known: [String] {
        Set(settings.services.services.map(\.name) + CatalogueService.all.map(\.name)).sorted()
    }

    private var missingFromConfiguration: [ServiceSettings] {
        CatalogueService.all.map(\.name).filter { settings.services.service(named: $0) == nil }
            .compactMap { settings.catalogueService(named: $0) }
    }
}
