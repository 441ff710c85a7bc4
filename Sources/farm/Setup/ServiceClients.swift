import Foundation
import Logging
import Pictures
import Pipeline
import Services
import Settings
import Synchronization

/// One client per service in a process: its concurrency and its circuit breaker hold for all roles that call it.
final class ServiceClients: Sendable {
    private let http: HTTPClient
    private let session: Session
    private let gate: StoreGate
    private let clients = Mutex<[ServiceSettings: ServiceClient]>([:])

    /// - Parameter gate: the store's circuit breaker: while it is open no service is called.
    init(http: HTTPClient, session: Session, gate: StoreGate) {
        self.http = http
        self.session = session
        self.gate = gate
    }

    func client(_ service: ServiceSettings) -> ServiceClient {
        clients.withLock { clients in
            if let client = clients[service] { return client }
            var log = session.log(service.name)
            log[metadataKey: "service"] = "\(service.name)"
            let client = ServiceClient(
                endpoint: service.address, client: http, policy: session.settings.images, time: session.time,
                log: log, objection: { [gate] in await gate.objection() })
            clients[service] = client
            return client
        }
    }

    /// Services whose jobs cannot be done now, with the reason.
    func outages() -> [String: String] {
        var outages: [String: String] = [:]
        for (service, client) in clients.withLock({ $0 }) { outages[service.name] = client.lastingOutage }
        return outages
    }
}

extension Settings {
    /// Where images may be taken from.
    var images: ImagePolicy { ImagePolicy(root: imageRoot, deniesPrivateURLs: deniesPrivateImageURLs) }
}

extension ServiceSettings {
    var address: ServiceEndpoint {
        ServiceEndpoint(
            name: name, host: host, port: port, endpoint: endpoint, health: health, timeout: timeout,
            maxTries: maxRetries,
            retryDelay: retryDelay, concurrency: concurrency)
    }
}
