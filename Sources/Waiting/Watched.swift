import Synchronization

/// A state under a lock, and the tasks that wait until it meets their condition.
///
/// This is a monitor (C. A. R. Hoare, "Monitors: an operating system structuring concept", 1974) whose conditions are
/// closures. Each change tries the conditions of all waiting tasks, first come, first served, so no wake-up is lost.
package final class Watched<State: Sendable>: Sendable {
    private struct Waiter: Sendable {
        var id: Int
        /// - Returns: what resumes the task, if the state meets its condition.
        var attempt: @Sendable (inout State) -> (@Sendable () -> Void)?
        var cancel: @Sendable () -> Void
    }

    private struct Contents: Sendable {
        var state: State
        var lastID = 0
        var waiters: [Waiter] = []

        /// Tries the conditions of all waiting tasks.
        mutating func wake() -> [@Sendable () -> Void] {
            guard !waiters.isEmpty else { return [] }
            var resumptions: [@Sendable () -> Void] = []
            waiters.removeAll { waiter in
                guard let resumption = waiter.attempt(&state) else { return false }
                resumptions.append(resumption)
                return true
            }
            return resumptions
        }
    }

    private let contents: Mutex<Contents>

    package init(_ state: State) { contents = Mutex(Contents(state: state)) }

    /// How many tasks are waiting.
    package var waiting: Int { contents.withLock { $0.waiters.count } }

    /// Reads the state.
    package func read<Value: Sendable>(_ look: (State) -> Value) -> Value { contents.withLock { look($0.state) } }

    /// Changes the state, and wakes the tasks whose condition it now meets.
    @discardableResult
    package func change<Value: Sendable>(_ change: (inout State) -> Value) -> Value {
        let (value, resumptions) = contents.withLock { contents in
            let value = change(&contents.state)
            return (value, contents.wake())
        }
        for resume in resumptions { resume() }
        return value
    }

    /// Waits until `attempt` returns a value. It is tried at once and after each change. When it succeeds, its change
    /// to the state stands.
    /// - Returns: nil if the task is cancelled first.
    package func wait<Answer: Sendable>(
        until attempt: @escaping @Sendable (inout State) -> Answer?
    ) async -> Answer? {
        if let answer = contents.withLock({ attempt(&$0.state) }) { return answer }
        let id = contents.withLock { contents in
            contents.lastID += 1
            return contents.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Answer?, Never>) in
                enqueue(id, attempt, continuation)
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func enqueue<Answer: Sendable>(
        _ id: Int, _ attempt: @escaping @Sendable (inout State) -> Answer?,
        _ continuation: CheckedContinuation<Answer?, Never>
    ) {
        let waiter = Waiter(
            id: id,
            attempt: { state in
                guard let answer = attempt(&state) else { return nil }
                return { continuation.resume(returning: answer) }
            },
            cancel: { continuation.resume(returning: nil) })
        let resumption = contents.withLock { contents -> (@Sendable () -> Void)? in
            if let resumption = waiter.attempt(&contents.state) { return resumption }
            if Task.isCancelled { return waiter.cancel }
            contents.waiters.append(waiter)
            return nil
        }
        resumption?()
    }

    private func cancel(_ id: Int) {
        let waiter = contents.withLock { contents in
            contents.waiters.firstIndex { $0.id == id }.map { contents.waiters.remove(at: $0) }
        }
        waiter?.cancel()
    }
}
