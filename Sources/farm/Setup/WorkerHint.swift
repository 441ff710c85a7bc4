import Foundation
import Pipeline

/// Says once, when jobs wait and none is taken, that no worker of their services is alive.
actor WorkerHint {
    private static let patience: TimeInterval = 5

    private let session: Session
    private let services: [String]
    private var jobs: Int?
    private var since = Date()
    private var isTold = false

    init(session: Session, services: [String]) {
        self.session = session
        self.services = services
    }

    func look(at standing: IdleWatch.Standing) async {
        if standing.jobs != jobs || standing.inFlight > 0 {
            jobs = standing.jobs
            since = Date()
        }
        guard !isTold, standing.jobs > 0, Date().timeIntervalSince(since) > WorkerHint.patience else { return }
        isTold = true
        guard let report = try? await session.backends.heartbeats?.report(MonitorWindows()) else { return }
        let alive = Set(report.nodes.flatMap(\.services))
        let idle = services.filter { !alive.contains($0) }
        guard !idle.isEmpty else { return }
        Terminal.error(
            "farm: warning: no worker of \(idle.joined(separator: ", ")) is alive: start farm up, or farm work "
                + idle.joined(separator: " "))
    }
}
