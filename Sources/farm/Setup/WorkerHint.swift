import Foundation
import Model
import Pipeline

/// Says once of each worker and role that it is not alive, when messages wait for it and none is taken.
actor WorkerHint {
    /// A call may take a minute: where no heartbeats tell who lives, it needs longer to be remarkable.
    private static let (patience, patienceWithoutHeartbeats): (TimeInterval, TimeInterval) = (5, 60)

    private let heartbeats: (any HeartbeatStore)?
    private var waiting = 0
    /// Since when nothing was taken, or when it was last looked who lives: one that was killed is seen as alive for minutes.
    private var since = Date()
    /// Services and roles that were named.
    private var told: Set<String> = []

    init(session: Session) {
        heartbeats = session.backends.heartbeats
    }

    func look(at standing: IdleWatch.Standing) async {
        if standing.waiting != waiting || standing.inFlight > 0 {
            waiting = standing.waiting
            since = Date()
        }
        let limit = heartbeats == nil ? WorkerHint.patienceWithoutHeartbeats : WorkerHint.patience
        let names = standing.waited.filter { !told.contains($0) }
        guard !names.isEmpty, Date().timeIntervalSince(since) > limit else { return }
        since = Date()
        guard let heartbeats else {
            return tell("nothing of \(names.joined(separator: ", ")) was taken for \(Int(limit)) s", names)
        }
        guard let report = try? await heartbeats.report(MonitorWindows()) else { return }
        let alive = Set(report.nodes.flatMap(\.services))
        let missing = names.filter { !alive.contains($0) }
        if !missing.isEmpty { tell("nobody is alive who works on \(missing.joined(separator: ", "))", missing) }
    }

    private func tell(_ what: String, _ names: [String]) {
        told.formUnion(names)
        let services = names.filter { PostProcessing(rawValue: $0) == nil }
        let commands =
            (services.isEmpty ? [] : ["farm work " + services.joined(separator: " ")])
            + names.compactMap(PostProcessing.init).map { "farm \($0.command)" }
        Terminal.error(
            "farm: warning: \(what): start farm up on a box whose service_config.json names it, or \(commands.joined(separator: ", "))"
        )
    }
}
