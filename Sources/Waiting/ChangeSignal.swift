/// Wakes all tasks that wait for the next change. Changes are numbered, so that a change between a look and the wait is
/// not missed.
package final class ChangeSignal: Sendable {
    private let changes = Watched(0)

    package init() {}

    /// The number of the newest change.
    package var generation: Int { changes.read { $0 } }

    package func raise() { changes.change { $0 += 1 } }

    /// Returns when there is a newer change than this one, or when the task is cancelled.
    package func wait(past generation: Int) async {
        _ = await changes.wait { $0 == generation ? nil : true }
    }
}
