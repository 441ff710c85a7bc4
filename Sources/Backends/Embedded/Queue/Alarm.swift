import Foundation
import Pipeline
import Waiting

/// Wakes one waiter at a date, which others may bring forward, or when it is called.
final class Alarm: Sendable {
    enum Reason {
        case due, called, cancelled
    }

    private struct State: Sendable {
        var due = Date.distantPast
        var isCalled = false
        /// Whether something has changed since the waiter last looked.
        var isStirred = false
    }

    private let time: any Timekeeper
    private let longest: Double
    private let state = Watched(State())

    /// - Parameter longest: the longest wait in seconds, even if the clock was set back.
    init(time: any Timekeeper, longest: Double) {
        self.time = time
        self.longest = longest
    }

    /// Sets a new date. Only the waiter does this.
    func set(_ due: Date) { state.change { $0.due = due } }

    /// Wakes the waiter no later than this.
    func bring(forwardTo due: Date) {
        state.change { state in
            guard due < state.due else { return }
            (state.due, state.isStirred) = (due, true)
        }
    }

    /// Wakes the waiter now.
    func call() { state.change { ($0.isCalled, $0.isStirred) = (true, true) } }

    /// Returns at the date, when it is called, or when the task is cancelled.
    func wait() async -> Reason {
        while !Task.isCancelled {
            let (isCalled, due) = state.change { state in
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

    private func stirred() async { _ = await state.wait { $0.isStirred ? true : nil } }
}
