import Synchronization

/// Wakes consumers that wait. A ring is counted, so that one between a look at the queue and the wait is not missed.
final class Bell: Sendable {
    typealias Member = Int

    private struct Listener {
        var queue: String
        var rings = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]

        mutating func ring() -> [CheckedContinuation<Void, Never>] {
            rings += 1
            defer { waiters = [:] }
            return Array(waiters.values)
        }
    }

    private struct State {
        var lastID = 0
        var listeners: [Member: Listener] = [:]
    }

    private let state = Mutex(State())

    func join(_ queue: String) -> Member {
        state.withLock { state in
            state.lastID += 1
            state.listeners[state.lastID] = Listener(queue: queue)
            return state.lastID
        }
    }

    /// Its waits end.
    func leave(_ member: Member) {
        let listener = state.withLock { $0.listeners.removeValue(forKey: member) }
        for waiter in (listener?.waiters ?? [:]).values { waiter.resume() }
    }

    /// The queues of all members.
    var queues: Set<String> { state.withLock { Set($0.listeners.values.map(\.queue)) } }

    var hasWaiters: Bool { state.withLock { $0.listeners.values.contains { !$0.waiters.isEmpty } } }

    /// How often it has rung for a member; nil once it has left.
    func rings(for member: Member) -> Int? { state.withLock { $0.listeners[member]?.rings } }

    /// Returns when it has rung since that count, when the member leaves, or when the task is cancelled.
    func wait(_ member: Member, since rings: Int) async {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.listeners[member]?.rings == rings, !Task.isCancelled else { return false }
                    state.listeners[member]?.waiters[id] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.listeners[member]?.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    func ring(queues: Set<String>) { ring { queues.contains($0.queue) } }

    func ring(_ member: Member) {
        let waiters = state.withLock { $0.listeners[member]?.ring() ?? [] }
        for waiter in waiters { waiter.resume() }
    }

    func ringAll() { ring { _ in true } }

    private func ring(_ isMeant: (Listener) -> Bool) {
        let waiters = state.withLock { state in
            state.listeners.filter { isMeant($0.value) }.keys.flatMap { state.listeners[$0]?.ring() ?? [] }
        }
        for waiter in waiters { waiter.resume() }
    }
}
