import Model
import Pipeline
import Waiting

/// Drops the messages that wait in queues, or only the jobs of a group's images.
package struct Purge {
    let queue: Queue
    let targets: [KnownQueues.Named]
    /// nil for images of any group or none.
    let group: (name: String, store: Store)?
    /// Whether it only counts.
    package let isDryRun: Bool

    /// A purge of these queues.
    package init(
        queue: Queue, targets: [KnownQueues.Named], group: (name: String, store: Store)? = nil, isDryRun: Bool
    ) {
        self.queue = queue
        self.targets = targets
        self.group = group
        self.isDryRun = isDryRun
    }

    /// - Parameters:
    ///   - tally: what was dropped, or would be. It is correct even after a fault.
    ///   - progress: called with the number of messages that were looked at, and their total.
    /// - Throws: `PortFault`.
    package func run(into tally: inout PurgeTally, _ drain: Drain, progress: (Int, Int) -> Void) async throws {
        let depths = try await queue.depths(of: targets.map(\.queue))
        var count = Count(total: depths.reduce(0) { $0 + $1.waiting })
        for (target, depth) in zip(targets, depths) where !drain.isBegun {
            tally.begin(target)
            func show(_ seen: Int, _ dropped: Int) {
                tally.add(dropped)
                count.seen += seen
                progress(count.seen, max(count.seen, count.total))
            }
            if let group {
                try await drop(group, target.queue, drain, show)
            } else if isDryRun {
                show(depth.waiting, depth.waiting)
            } else {
                try await dropAll(target.queue, depth.waiting, drain, show)
            }
        }
    }

    /// How many messages workers have taken already and will finish. nil if the queue does not tell.
    /// - Throws: `PortFault`.
    package func inFlight() async throws -> Int? {
        let depths = try await queue.depths(of: targets.map(\.queue))
        let counts = depths.compactMap(\.inFlight)
        return counts.count == depths.count ? counts.reduce(0, +) : nil
    }

    private struct Count {
        var total: Int
        var seen = 0
    }

    /// New messages do not keep it going.
    private func dropAll(_ name: String, _ waiting: Int, _ drain: Drain, _ show: (Int, Int) -> Void) async throws {
        var rest = waiting
        while rest > 0, !drain.isBegun, case let count = try await queue.purge(name), count > 0 {
            rest -= count
            show(count, count)
        }
    }

    private func drop(
        _ group: (name: String, store: Store), _ name: String, _ drain: Drain, _ show: (Int, Int) -> Void
    ) async throws {
        let pass = try await queue.pass(through: name, .waiting)
        do {
            while !drain.isBegun, case let batch = try await pass.next(), !batch.isEmpty {
                // A message without an image is in no group. A trigger names its image as a job does.
                let ids = batch.map { try? Trigger(body: $0.body).imageID }
                let images = try await group.store.images(Array(Set(ids.compactMap { $0 })).sorted())
                let meant = zip(batch, ids).filter { _, id in id.flatMap { images[$0] }?.group == group.name }
                    .map(\.0.receipt)
                show(batch.count, isDryRun ? meant.count : try await pass.remove(meant))
            }
        } catch {
            try? await pass.close()
            throw error
        }
        try await pass.close()
    }
}
