import Foundation
import Model
import Pipeline

/// When messages wait and none is taken, says once for each service and role that it has no live worker.
package actor WorkerHint {
    /// A call may take a minute, but the worker that makes it is alive meanwhile.
    private static let patience: TimeInterval = 5

    private let store: any WorkerRegister
    /// Farms of an earlier version write only heartbeats.
    private let heartbeats: (any HeartbeatStore)?
    private var waiting = 0
    /// Since when nothing was taken, or when workers were last looked up. A worker that was killed still looks alive
    /// for a while.
    private var since = Date()
    /// Services and roles that were mentioned already.
    private var told: Set<String> = []

    private let tell: @Sendable (String) -> Void

    /// - Parameter tell: receives one line for people.
    package init(
        store: any WorkerRegister, heartbeats: (any HeartbeatStore)?, tell: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.heartbeats = heartbeats
        self.tell = tell
    }

    /// To be called after every look at the queues.
    package func look(at standing: IdleWatch.Standing) async {
        if standing.waiting != waiting || standing.inFlight > 0 {
            waiting = standing.waiting
            since = Date()
        }
        let names = standing.waited.filter { !told.contains($0) && !standing.paused.contains($0) }
        guard !names.isEmpty, Date().timeIntervalSince(since) > WorkerHint.patience else { return }
        since = Date()
        guard let workers = try? await store.liveWorkers() else { return }
        var alive = Set(workers.map(\.service))
        if let heartbeats {
            guard let report = try? await heartbeats.report(MonitorWindows()) else { return }
            alive.formUnion(report.nodes.flatMap(\.services))
        }
        let missing = names.filter { !alive.contains($0) }
        guard !missing.isEmpty else { return }
        told.formUnion(missing)
        tell("no worker is alive for \(missing.joined(separator: ", ")): \(WorkerHint.wayOut(for: missing))")
    }

    /// How to get workers for these services and roles.
    package static func wayOut(for names: [String]) -> String {
        guard names != [Callback.service] else {
            return "start farm web, or farm up --web, with WEBHOOK_SECRET in .env"
        }
        let services = names.filter { PostProcessing(rawValue: $0) == nil }
        let commands =
            (services.isEmpty ? [] : ["farm work " + services.joined(separator: " ")])
            + names.compactMap(PostProcessing.init).map { "farm \($0.command)" }
        return "start farm up on a machine whose service_config.json names it, or \(commands.joined(separator: ", "))"
    }
}
