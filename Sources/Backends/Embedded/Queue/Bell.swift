import Waiting

/// Wakes consumers that wait. Rings are counted, so that a ring between a look at the queue and the wait is not missed.
final class Bell: Sendable {
    typealias Member = Int

    private struct Listener: Sendable {
        var queue: String
        var rings = 0
    }

    private struct State: Sendable {
        var lastID = 0
        var listeners: [Member: Listener] = [:]

        mutating func ring(_ isMeant: (Listener) -> Bool) {
            for (member, listener) in listeners where isMeant(listener) { listeners[member]?.rings += 1 }
        }
    }

    private let state = Watched(State())

    func join(_ queue: String) -> Member {
        state.change { state in
            state.lastID += 1
            state.listeners[state.lastID] = Listener(queue: queue)
            return state.lastID
        }
    }

    /// Removes a member, and ends its waits.
    func leave(_ member: Member) { state.change { _ = $0.listeners.removeValue(forKey: member) } }

    /// The queues of all members.
    var queues: Set<String> { state.read { Set($0.listeners.values.map(\.queue)) } }

    var hasWaiters: Bool { state.waiting > 0 }

    /// How often it has rung for a member. nil once the member has left.
    func rings(for member: Member) -> Int? { state.read { $0.listeners[member]?.rings } }

    /// Returns when it has rung since that count, when the member leaves, or when the task is cancelled.
    func wait(_ member: Member, since rings: Int) async {
        _ = await state.wait { $0.listeners[member]?.rings == rings ? nil : true }
    }

    func ring(queues: Set<String>) { state.change { $0.ring { queues.contains($0.queue) } } }

    func ring(_ member: Member) { state.change { $0.listeners[member]?.rings += 1 } }

    func ringAll() { state.change { $0.ring { _ in true } } }
}
