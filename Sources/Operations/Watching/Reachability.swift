import Foundation
import Pipeline

/// Which services do not answer their health probe, or have been reported down by all their workers for a minute. It
/// asks again at most every two seconds.
package actor Reachability {
    private static let validity: TimeInterval = 2
    /// A worker whose service answers some jobs with errors tries others for this long.
    private static let patience: TimeInterval = 60

    private let services: [String]
    private let health: @Sendable (String) async -> String?
    private let workers: any WorkerRegister
    private var known: [String: String] = [:]
    private var asked = Date.distantPast
    /// Since when their workers have reported services as down.
    private var downSince: [String: Date] = [:]

    /// - Parameter health: why a service does not answer its health probe. nil if it does.
    package init(
        _ services: [String], workers: any WorkerRegister, health: @escaping @Sendable (String) async -> String?
    ) {
        self.services = services
        self.workers = workers
        self.health = health
    }

    /// The services that are down, with the reason.
    package func outages() async -> [String: String] {
        guard Date().timeIntervalSince(asked) > Reachability.validity else { return known }
        asked = Date()
        let told = await toldByWorkers()
        known = await Reachability.ask(services, health).merging(told) { health, _ in health }
        return known
    }

    private func toldByWorkers() async -> [String: String] {
        guard let live = try? await workers.liveWorkers() else { return [:] }
        let down = Dictionary(grouping: live, by: \.service).compactMapValues { QueueState.outage(of: $0) }
        let now = Date()
        downSince = down.keys.reduce(into: [:]) { $0[$1] = downSince[$1] ?? now }
        return down.filter { now.timeIntervalSince(downSince[$0.key] ?? now) > Reachability.patience }
    }

    private static func ask(
        _ services: [String], _ health: @escaping @Sendable (String) async -> String?
    ) async -> [String: String] {
        await withTaskGroup(of: (String, String?).self) { group in
            for service in services { group.addTask { (service, await health(service)) } }
            return await group.reduce(into: [:]) { outages, answer in outages[answer.0] = answer.1 }
        }
    }
}
