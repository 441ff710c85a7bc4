import Foundation
import Logging
import Pipeline
import Roles
import Services
import Settings
import Synchronization

/// One client for each service in a process, so that its concurrency and its circuit breaker are shared by all roles
/// that call it.
final class ServiceClients: Sendable {
    private let http: HTTPClient
    private let context: ProgramContext
    private let gate: StoreGate
    private let control: ControlWatch
    private let clients = Mutex<[ServiceSettings: ServiceClient]>([:])

    /// - Parameters:
    ///   - gate: the store's circuit breaker. While it is open, no service is called.
    ///   - control: what operators have set.
    init(http: HTTPClient, context: ProgramContext, gate: StoreGate, control: ControlWatch) {
        self.http = http
        self.context = context
        self.gate = gate
        self.control = control
    }

    func client(_ service: ServiceSettings) -> ServiceClient {
        clients.withLock { clients in
            if let client = clients[service] { return client }
            var log = context.log(service.name)
            log[metadataKey: "service"] = "\(service.name)"
            context.metrics?.sink.calls(service.name, concurrency: service.concurrency)
            let client = ServiceClient(
                endpoint: service.address, client: http, policy: context.settings.images, time: context.time,
                log: log, control: control.gate(for: service.name),
                events: context.events(EventSource(service: service.name)), tracer: context.tracer,
                objection: { [gate] in await gate.objection() })
            clients[service] = client
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
