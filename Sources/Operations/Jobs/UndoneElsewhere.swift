import Model
import Pipeline

/// What waits in queues that a box does not serve: other boxes do it, or nobody.
package struct UndoneElsewhere: Sendable {
    /// Triggers, by the role that takes them.
    package var triggers: [(role: PostProcessing, count: Int)] = []
    /// Jobs, by a service that the box does not name.
    package var jobs: [(service: String, count: Int)] = []

    /// - Parameter roles: those that the box does not run.
    package init(_ queue: Queue, _ services: ServiceDirectory, roles: [PostProcessing]) async {
        // Remarks: a broker that went away in this moment does not undo what was done.
        guard let depths = try? await queue.depths(of: roles.map(\.queue)) else { return }
        triggers = zip(roles, depths).filter { $1.waiting > 0 }.map { ($0, $1.waiting) }
        jobs = (try? await UndoneElsewhere.unnamed(queue, services)) ?? []
    }

    private static func unnamed(
        _ queue: Queue, _ services: ServiceDirectory
    ) async throws -> [(service: String, count: Int)] {
        let others = try await KnownQueues(services, queue).others
        let depths = try await queue.depths(of: others.map(\.queue))
        return zip(others, depths).filter { $1.waiting > 0 }.map { ($0.service, $1.waiting) }
    }
}
