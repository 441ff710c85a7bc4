import Foundation
import Logging
import Pipeline
import Services
import Settings
import Synchronization

/// One client for each service in a process, so that its concurrency and its circuit breaker are shared by all roles
/// that call it.
final class ServiceClients: Sendable {
    private let http: HTTPClient
    private let context: ProgramContext
    private let gate: StoreGate
    private let clients = Mutex<[ServiceSettings: ServiceClient]>([:])

    /// - Parameter gate: the store's circuit breaker. While it is open, no service is called.
    init(http: HTTPClient, context: ProgramContext, gate: StoreGate) {
        self.http = http
        self.context = context
        self.gate = gate
    }

    func client(_ service: ServiceSettings) -> ServiceClient {
        clients.withLock { clients in
            if let client = clients[service] { return client }
            var log = context.log(service.name)
            log[metadataKey: "service"] = "\(service.name)"
            let client = ServiceClient(
                endpoint: service.address, client: http, policy: context.settings.images, time: context.time,
                log: log, events: context.events(EventSource(service: service.name)), tracer: context.tracer,
                objection: { [gate] in await gate.objection() })
            clients[service] = client
            context.metrics?.sink.calls(service.name, concurrency: service.concurrency)
            return client
        }
    }

    /// The services whose jobs cannot be done now, with the reason.
    func outages() -> [String: String] {
        var outages: [String: String] = [:]
        for (service, client) in clients.withLock({ $0 }) { outages[service.name] = client.lastingOutage }
        return outages
    }
}
