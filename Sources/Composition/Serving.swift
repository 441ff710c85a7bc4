import Foundation
import Logging
import Model
import Operations
import Pipeline
import Roles
import Waiting

/// Runs supervised roles until a signal drains them, or until all work is done.
package struct Serving: Sendable {
    /// Makes the roles.
    package let factory: RoleFactory
    /// Whether everything is served that this machine's file names, and not only one role.
    package var servesWholeMachine = false

    /// - Parameter servesWholeMachine: whether everything is served that this machine's file names, and not only one role.
    package init(factory: RoleFactory, servesWholeMachine: Bool = false) {
        self.factory = factory
        self.servesWholeMachine = servesWholeMachine
    }

    private var context: ProgramContext { factory.context }

    /// Logs which queue, store and monitoring database a role uses.
    func banner(_ roles: [SupervisedRole]) {
        let log = context.log("farm")
        let configuration = factory.configuration.path ?? "the catalogue on localhost (no service_config.json)"
        log.notice(
            "\(roles.map(\.name).joined(separator: ", ")): \(factory.backends.description); services of \(configuration)"
        )
        factory.warnOfAssumedServices(roles)
        if servesWholeMachine { tellOfMissingRoles() }
    }

    /// Warns if post-processing roles are missing: an older service_config.json has no post_processing entries.
    private func tellOfMissingRoles() {
        guard let path = factory.configuration.path, factory.configuration.postProcessing.isEmpty else { return }
        let roles = PostProcessing.allCases
        let entry = "\"\(PostProcessing.consensus.rawValue)\": {\"category\": \"post_processing\"}"
        context.log("farm").notice(
            """
            \(roles.map(\.rawValue).joined(separator: ", ")) do not run here: \(path) has no post_processing entry for this machine. \
            Where no other machine runs them, add entries such as \(entry) to it, or run \
            \(roles.map { "farm \($0.command)" }.joined(separator: ", "))
            """)
    }

    /// Runs the roles until a signal, and warns of triggers that nobody consumes.
    package func runWatching(_ roles: [SupervisedRole], changes: AsyncStream<[SupervisedRole]>, drain: Drain) async {
        let watch = UnservedWatch(
            queue: factory.backends.queue, heartbeats: factory.backends.heartbeats, control: factory.backends.store,
            time: context.time, log: context.log("farm"),
            roles: PostProcessing.allCases.filter { !factory.configuration.postProcessing.contains($0) })
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await run(roles, changes: changes, drain: drain) }
            group.addTask { _ = try? await drain.until { try await watch.run() } }
            await group.waitForAll()
        }
    }

    /// Runs the roles until a signal.
    package func run(_ roles: [SupervisedRole], changes: AsyncStream<[SupervisedRole]>? = nil, drain: Drain) async {
        banner(roles)
        let supervisor = Supervisor(time: context.time, log: context.log("supervisor"))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await factory.control.run() }
            // The watch ends with the roles, and never the roles with the watch.
            await supervisor.run(roles, changes: changes, drain: drain)
            group.cancelAll()
        }
    }

    /// Runs the roles while `work` runs.
    /// - Returns: what `work` returned. Empty if a signal ended it.
    package func run(
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
