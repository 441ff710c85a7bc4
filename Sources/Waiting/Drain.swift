import Synchronization

/// The request to stop gracefully: take nothing new, finish what is in flight. It is begun once and never taken back.
public final class Drain: Sendable {
    private struct State {
        var isBegun = false
        var nextID = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether it has begun.
    public var isBegun: Bool { state.withLock { $0.isBegun } }

    /// Begins it; once more changes nothing.
    public func begin() {
        let waiters = state.withLock { state in
            state.isBegun = true
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when it is begun, or when the task is cancelled.
    public func wait() async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let over = state.withLock { state in
                    if state.isBegun || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if over { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    /// Runs `operation` to its end; it is cancelled when the drain begins, and what it then returns is not lost.
    package func cancels<Value: Sendable>(_ operation: @Sendable @escaping () async -> Value) async -> Value {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await operation() }
            group.addTask {
                await self.wait()
                return nil
            }
            let first = await group.next()
            group.cancelAll()
            if case .some(.some(let value)) = first { return value }
            guard case .some(.some(let value)) = await group.next() else {
                preconditionFailure("an operation that is cancelled ends, too")
            }
            return value
        }
    }

    /// Runs `operation` until it ends or the drain begins, whichever is first; then it is cancelled.
    /// - Returns: what the operation returned; nil if the drain ended it.
    public func until<Value: Sendable>(
        _ operation: @Sendable @escaping () async throws -> Value
    ) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                do { return try await operation() } catch is CancellationError { return nil }
            }
            group.addTask {
                await self.wait()
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
