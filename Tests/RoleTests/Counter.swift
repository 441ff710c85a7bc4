import Foundation
import Model
import Pipeline
import Synchronization
import Waiting

/// A test double of a handler: counts what it is given.
final class Counter: StageHandler {
    let count = Mutex(0)
    let hold: Drain?
    let plainRow = PlainRow.consensus

    /// - Parameter hold: what it is given it keeps until then.
    init(hold: Drain? = nil) { self.hold = hold }

    var handled: Int { count.withLock { $0 } }

    func image(of work: UUID) -> ImageID { 1 }

    func admit(_ deliveries: [Delivery]) async throws -> [Admission<UUID, UUID>] {
        deliveries.map { _ in
            let id = UUID()
            return .work(id, id)
        }
    }

    func handle(_ work: UUID) async {
        count.withLock { $0 += 1 }
        await hold?.wait()
    }

    func commit(_ group: [(work: UUID, outcome: Void)]) async throws -> [Verdict] { group.map { _ in Verdict(.done) } }
}
