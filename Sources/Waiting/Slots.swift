import Foundation
import Synchronization

/// A counting semaphore for tasks: first come, first served.
///
/// Nearly every job waits here, so no timer is set. Whoever gives a slot back turns away tasks that have waited for too
/// long.
package final class Slots: Sendable {
    fileprivate struct Waiter {
        var id: Int
        var began: Date
        var limit: Duration
        var continuation: CheckedContinuation<Bool, Never>

        /// If the wall clock was set back, nobody knows. Too early is better than a job that is held for too long.
        func isLate(at now: Date) -> Bool {
            let waited = now.timeIntervalSince(began)
            return waited > limit.seconds || waited < -1
        }
    }

    fileprivate struct State {
        var count: Int
        /// Negative after the number was made smaller than the number of slots that are taken.
        var free: Int
        var nextID = 0
        var waiters: [Waiter] = []
    }

    private let state: Mutex<State>

    package init(_ count: Int) {
        assert(count > 0, "with no slot at all everybody would wait for ever")
        state = Mutex(State(count: count, free: count))
    }

    /// How many there are, taken or free.
    package var count: Int { state.withLock { $0.count } }

    /// Whether any slot is taken.
    package var areInUse: Bool { state.withLock { $0.free < $0.count } }

    /// Changes the number of slots. Nobody loses a slot: if too many are taken, the next ones that come back go.
    package func resize(to count: Int) {
        assert(count > 0, "with no slot at all everybody would wait for ever")
        let served = state.withLock { state -> [Waiter] in
            state.free += count - state.count
            state.count = count
            return state.serve()
        }
        for waiter in served { waiter.continuation.resume(returning: true) }
    }

    /// How many tasks are waiting.
    package var waiting: Int { state.withLock { $0.waiters.count } }

    /// Takes a slot if one is free and nobody waits for it.
    package func takeFree() -> Bool { state.withLock { $0.takeFree() } }

    /// Waits for a slot.
    /// - Parameters:
    ///   - limit: how long to wait. A slot that is given back later goes to somebody else.
    ///   - isRefused: called before the wait begins, with no `turnAway` in between.
    /// - Returns: false if the task was refused, turned away or cancelled before it got a slot.
    package func take(at now: Date, within limit: Duration, unless isRefused: () -> Bool) async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let granted = state.withLock { state -> Bool? in
                    if Task.isCancelled || isRefused() { return false }
                    if state.takeFree() { return true }
                    state.waiters.append(Waiter(id: id, began: now, limit: limit, continuation: continuation))
                    return nil
                }
                if let granted { continuation.resume(returning: granted) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
    }

    /// Gives a slot back. It goes to the first task that has not waited for too long.
    package func giveBack(at now: Date) {
        let (late, served) = state.withLock { state in
            let late = state.waiters.filter { $0.isLate(at: now) }
            if !late.isEmpty { state.waiters.removeAll { $0.isLate(at: now) } }
            state.free += 1
            assert(state.free <= state.count, "no more slots are given back than were taken")
            return (late, state.serve())
        }
        for waiter in late { waiter.continuation.resume(returning: false) }
        for waiter in served { waiter.continuation.resume(returning: true) }
    }

    /// Ends all waits.
    package func turnAway() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
    }
}

extension Slots.State {
    /// - Returns: those who have waited longest and get what is free.
    fileprivate mutating func serve() -> [Slots.Waiter] {
        let served = Array(waiters.prefix(max(0, free)))
        waiters.removeFirst(served.count)
        free -= served.count
        return served
    }

    fileprivate mutating func takeFree() -> Bool {
        guard free > 0, waiters.isEmpty else { return false }
        free -= 1
        return true
    }
}
