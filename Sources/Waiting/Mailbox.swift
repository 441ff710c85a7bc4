import Synchronization

/// Hands values from many tasks to one: it takes all that have gathered, so that load decides the size of a group.
package final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var waiter: CheckedContinuation<[Element], Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func append(_ new: [Element]) {
        guard !new.isEmpty else { return }
        let waiter = state.withLock { state -> CheckedContinuation<[Element], Never>? in
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            state.elements.append(contentsOf: new)
            return nil
        }
        waiter?.resume(returning: new)
    }

    /// No more will come.
    package func finish() {
        let waiter = state.withLock { state in
            state.isFinished = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: [])
    }

    /// All that has gathered, if anything has.
    package func takeReady() -> [Element] {
        state.withLock { state in
            defer { state.elements = [] }
            return state.elements
        }
    }

    /// All that has gathered, at least one; none only when the mailbox is finished and empty, or the task is cancelled.
    package func takeAll() async -> [Element] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> [Element]? in
                    if state.elements.isEmpty && !state.isFinished && !Task.isCancelled {
                        state.waiter = continuation
                        return nil
                    }
                    defer { state.elements = [] }
                    return state.elements
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: [])
        }
    }
}
