import Model
import Pipeline

/// Messages in queues that a machine does not serve. Other machines consume them, or nobody.
package struct UndoneElsewhere: Sendable {
    /// Triggers, by the role that consumes them.
    package var triggers: [(role: PostProcessing, count: Int)] = []
    /// Jobs, by service. This machine's file does not name the service.
    package var jobs: [(service: String, count: Int)] = []

    /// - Parameter roles: the roles that this machine does not run.
    package init(_ queue: Queue, _ services: ServiceDirectory, roles: [PostProcessing]) async {
        // These are remarks. If the broker went away at this moment, the work is done all the same.
        guard let depths = try? await queue.depths(of: roles.map(\.queue)) else { return }
        triggers = zip(roles, depths).filter { $1.waiting > 0 }.map { ($0, $1.waiting) }
        jobs = (try? await UndoneElsewhere.unnamed(queue, services)) ?? []
    }

    private static func unnamed(
        _ queue: Queue, _ services: ServiceDirectory
    ) async throws -> [(service: String, count: Int)] {
        let others = try await KnownQueues(services, queue).others.filter { $0.queue != Callback.queue }
        let depths = try await queue.depths(of: others.map(\.queue))
        return zip(others, depths).filter { $1.waiting > 0 }.map { ($0.service, $1.waiting) }
    }
}
