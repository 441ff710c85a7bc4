import Foundation
import Pipeline
import Synchronization
import Waiting

/// What one waiter waits for: a date that others may bring forward, or a call.
final class Alarm: Sendable {
    enum Reason {
        case due, called, cancelled
    }

    private struct State {
        var due = Date.distantPast
        var isCalled = false
        /// Something changed since the waiter last looked.
        var isStirred = false
        var waiter: CheckedContinuation<Void, Never>?

        mutating func stir() -> CheckedContinuation<Void, Never>? {
            isStirred = true
            defer { waiter = nil }
            return waiter
        }
    }

    private let time: any Timekeeper
    private let longest: Double
    private let state = Mutex(State())

    /// - Parameter longest: seconds; it waits no longer, even if the clock was set back.
    init(time: any Timekeeper, longest: Double) {
        self.time = time
        self.longest = longest
    }

    /// Sets the date anew; only who waits does this.
    func set(_ due: Date) { state.withLock { $0.due = due } }

    /// Wakes no later than that.
    func bring(forwardTo due: Date) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard due < state.due else { return nil }
            state.due = due
            return state.stir()
        }
        waiter?.resume()
    }

    /// Wakes now.
    func call() {
        let waiter = state.withLock { state in
            state.isCalled = true
            return state.stir()
        }
        waiter?.resume()
    }

    /// Returns at the date, when it is called, or when the task is cancelled.
    func wait() async -> Reason {
        while !Task.isCancelled {
            let (isCalled, due) = state.withLock { state in
                defer { (state.isCalled, state.isStirred) = (false, false) }
                return (state.isCalled, state.due)
            }
            if isCalled { return .called }
            let rest = min(due.timeIntervalSince(time.now()), longest)
            guard rest > 0 else { return .due }
            let hasSlept = await withTaskGroup(of: Bool.self) { group in
                group.addTask { (try? await self.time.sleep(.seconds(rest))) != nil }
                group.addTask {
                    await self.stirred()
                    return false
                }
                defer { group.cancelAll() }
                return await group.next() ?? false
            }
            if hasSlept { return .due }
        }
        return .cancelled
    }

    private func stirred() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !state.isStirred, !Task.isCancelled else { return false }
                    state.waiter = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
