import Foundation
import Logging
import Pipeline
import Roles

/// Serves queues with supervised roles until a signal drains them, or until all is done.
struct Serving: Sendable {
    let session: Session
    let fleet: Fleet

    /// Says which queue, store and monitoring a role uses.
    func banner(_ roles: [SupervisedRole]) {
        let log = session.log("farm")
        let configuration = fleet.configuration.path ?? "the catalogue on localhost (no service_config.json)"
        log.notice(
            "\(roles.map(\.name).joined(separator: ", ")): \(session.backends.description); services of \(configuration)"
        )
        fleet.warnOfAssumedServices(roles)
    }

    /// Runs the roles until a signal.
    func run(_ roles: [SupervisedRole], changes: AsyncStream<[SupervisedRole]>? = nil, drain: Drain) async {
        banner(roles)
        await Supervisor(time: session.time, log: session.log("supervisor")).run(roles, changes: changes, drain: drain)
    }

    /// Runs the roles as long as `work` lasts.
    /// - Returns: what `work` returned; empty if a signal ended it.
    func run(
        _ roles: [SupervisedRole], drain: Drain, during work: @escaping @Sendable () async throws -> [String]
    ) async throws -> [String] {
        try await withThrowingTaskGroup(of: [String].self) { group in
            group.addTask {
                await run(roles, drain: drain)
                return []
            }
            group.addTask {
                defer { drain.begin() }
                return try await drain.until(work) ?? []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}
