import Model
import Operations
import Pictures
import Roles
import Services
import Settings

extension Settings {
    /// The services that can be named here.
    package var directory: ServiceDirectory {
        ServiceDirectory(
            configured: services.services.map(ServiceDirectory.Entry.init),
            catalogue: CatalogueService.all.compactMap { catalogueService(named: $0.name) }
                .map(ServiceDirectory.Entry.init), postsWebhooks: webhooks != nil)
    }

    /// The queues of this machine's services, of the roles, and of callbacks if webhooks are posted.
    package var queues: [String] {
        services.services.map(\.queue) + PostProcessing.allCases.map(\.queue)
            + (webhooks == nil ? [] : [Callback.queue])
    }

    /// A service as this machine's configuration has it, or else the catalogue, on localhost.
    /// - Throws: `OperationFault`, which lists the known services.
    package func knownService(named name: String) throws(OperationFault) -> ServiceSettings {
        guard let service = services.service(named: name) ?? catalogueService(named: name) else {
            throw .unusable("unknown service \(name); known are \(directory.names.joined(separator: ", "))")
        }
        return service
    }

    /// Where images may come from.
    package var images: ImagePolicy { ImagePolicy(root: imageRoot, deniesPrivateURLs: deniesPrivateImageURLs) }
}

extension ServiceDirectory.Entry {
    fileprivate init(_ service: ServiceSettings) {
        self.init(
            name: service.name, queue: service.queue, category: service.category, evidence: service.evidence)
    }
}

extension ServiceSettings {
    /// Where the service is called, and how often a call is tried.
    package var address: ServiceEndpoint {
        ServiceEndpoint(
            name: name, host: host, port: port, endpoint: endpoint, health: health, timeout: timeout,
            maxTries: maxRetries,
            retryDelay: retryDelay, concurrency: concurrency)
    }
}

extension ServiceConfiguration {
    /// The primary services that this machine works on.
    package var workers: [ServiceSettings] { services.filter { $0.category == .primary && $0.work } }
}

extension Transport {
    init(_ setting: ServiceSettings.Transport) {
        switch setting {
        case .auto: self = .auto
        case .url: self = .url
        case .file: self = .file
        }
    }
}
