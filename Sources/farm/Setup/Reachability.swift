import Foundation
import Pipeline
import Services

/// Which services do not answer their health probe, or are called down by all their workers for a minute; asked anew at most
/// every two seconds.
actor Reachability {
    private static let validity: TimeInterval = 2
    /// A worker whose service answers some jobs with errors tries others for as long.
    private static let patience: TimeInterval = 60

    private let services: [ServiceEndpoint]
    private let http: HTTPClient
    private let workers: any WorkerRegister
    private var known: [String: String] = [:]
    private var asked = Date.distantPast
    /// Since when their workers have called services down.
    private var downSince: [String: Date] = [:]

    init(_ services: [ServiceEndpoint], http: HTTPClient, workers: any WorkerRegister) {
        self.services = services
        self.http = http
        self.workers = workers
    }

    /// Up is whatever answers below 500, as the circuit breaker has it.
    private static func outage(_ health: Result<Int, HTTPFault>) -> String? {
        switch health {
        case .success(let status): status < 500 ? nil : "its health answers \(status)"
        case .failure(let fault): fault.description
        }
    }

    /// Those that are down, with the reason.
    func outages() async -> [String: String] {
        guard Date().timeIntervalSince(asked) > Reachability.validity else { return known }
        asked = Date()
        let told = await toldByWorkers()
        known = await Reachability.ask(services, http).merging(told) { health, _ in health }
        return known
    }

    private func toldByWorkers() async -> [String: String] {
        guard let live = try? await workers.liveWorkers() else { return [:] }
        let down = Dictionary(grouping: live, by: \.service).compactMapValues { QueueState.outage(of: $0) }
        let now = Date()
        downSince = down.keys.reduce(into: [:]) { $0[$1] = downSince[$1] ?? now }
        return down.filter { now.timeIntervalSince(downSince[$0.key] ?? now) > Reachability.patience }
    }

    private static func ask(_ services: [ServiceEndpoint], _ http: HTTPClient) async -> [String: String] {
        await withTaskGroup(of: (String, String?).self) { group in
            for service in services { group.addTask { (service.name, outage(await http.health(of: service))) } }
            return await group.reduce(into: [:]) { outages, answer in outages[answer.0] = answer.1 }
        }
    }
}
