import Model
import Roles

/// The services that can be named here: those of this machine's configuration, and those of the catalogue.
package struct ServiceDirectory: Sendable {
    /// What is known about a service without calling it.
    package struct Entry: Sendable {
        /// Its name, as in `results.service`.
        package var name: String
        /// The queue of its jobs.
        package var queue: String
        /// Who calls it.
        package var category: ServiceCategory
        /// How its answers count.
        package var evidence: Evidence

        package init(name: String, queue: String, category: ServiceCategory, evidence: Evidence) {
            self.name = name
            self.queue = queue
            self.category = category
            self.evidence = evidence
        }
    }

    /// The services that the configuration names, in its order.
    package let configured: [Entry]
    /// All services of the catalogue, as they are without a configuration.
    package let catalogue: [Entry]
    /// Whether webhooks are posted here.
    package let postsWebhooks: Bool

    package init(configured: [Entry], catalogue: [Entry], postsWebhooks: Bool = false) {
        self.configured = configured
        self.catalogue = catalogue
        self.postsWebhooks = postsWebhooks
    }

    /// A service as the configuration has it, or else the catalogue: a machine may produce jobs for services that other
    /// machines run.
    package func service(named name: String) -> Entry? {
        configured.first { $0.name == name } ?? catalogue.first { $0.name == name }
    }

    /// The names, sorted.
    package var names: [String] { Set((configured + catalogue).map(\.name)).sorted() }

    /// The services that a choice names: `all`, `primary`, `spatial_only`, `full_catalog`, or names separated by
    /// commas.
    /// - Throws: `OperationFault` for an unknown one. It lists the known services.
    package func targets(_ choice: String) throws(OperationFault) -> [Target] {
        let chosen: [Entry]
        switch choice {
        case "all", "primary": chosen = configured.filter { $0.category == .primary }
        case "spatial_only": chosen = configured.filter { $0.category == .spatialOnly }
        case "full_catalog":
            chosen = configured + catalogue.filter { other in !configured.contains { $0.name == other.name } }
        default:
            let names = choice.split(separator: ",").map { String($0.filter { $0 != " " }) }
            let unknown = names.filter { service(named: $0) == nil }
            guard unknown.isEmpty, !names.isEmpty else {
                throw .unusable(
                    "unknown service \(unknown.joined(separator: ", ")); known are \(self.names.joined(separator: ", ")), "
                        + "and all, primary, spatial_only, full_catalog")
            }
            var seen: Set<String> = []
            chosen = names.filter { seen.insert($0).inserted }.compactMap { service(named: $0) }
        }
        guard !chosen.isEmpty else {
            throw .unusable("\(choice): this machine's service_config.json names no such service")
        }
        return chosen.map { Target(service: $0.name, queue: $0.queue) }
    }
}
