import Model
import Pipeline

/// Drops what waits in queues, or only the jobs of a group's images.
struct Purge {
    let queue: any QueueInspection
    let store: any ResultStore
    /// nil: of every group and of none.
    let group: String?
    let isDryRun: Bool
    let progress: Progress
    /// Messages in all queues.
    let total: Int

    /// - Parameters:
    ///   - waiting: how many messages wait there at the beginning; of those that come in meanwhile no more are dropped.
    ///   - before: how many messages other queues had.
    /// - Returns: how many are dropped, or would be.
    /// - Throws: `PortFault`.
    func run(_ name: String, waiting: Int, after before: Int, _ drain: Drain) async throws -> Int {
        guard let group else { return isDryRun ? waiting : try await dropAll(name, waiting, before, drain) }
        let pass = try await queue.pass(through: name, .waiting)
        do {
            let count = try await drop(group, pass, before, drain)
            try await pass.close()
            return count
        } catch {
            try? await pass.close()
            throw error
        }
    }

    private func dropAll(_ name: String, _ waiting: Int, _ before: Int, _ drain: Drain) async throws -> Int {
        var dropped = 0
        while dropped < waiting, !drain.isBegun, case let count = try await queue.purge(name), count > 0 {
            dropped += count
            progress.show(before + dropped, of: total)
        }
        return dropped
    }

    private func drop(_ group: String, _ pass: any QueuePass, _ before: Int, _ drain: Drain) async throws -> Int {
        var (seen, dropped) = (0, 0)
        while !drain.isBegun, case let batch = try await pass.next(), !batch.isEmpty {
            // What names no image is of no group; a trigger names its image as a job does.
            let ids = batch.map { try? Trigger(body: $0.body).imageID }
            let images = try await store.images(Array(Set(ids.compactMap { $0 })).sorted())
            let meant = zip(batch, ids).filter { _, id in id.flatMap { images[$0] }?.group == group }.map(\.0.receipt)
            dropped += isDryRun || meant.isEmpty ? meant.count : try await pass.remove(meant)
            seen += batch.count
            progress.show(before + seen, of: total, note: "\(dropped) of the group")
        }
        return dropped
    }
}
