/// The request to stop gracefully: take nothing new, and finish what is in flight. Once begun, it is never taken back.
public final class Drain: Sendable {
    private let begun = Watched(false)

    package init() {}

    /// Whether it has begun.
    public var isBegun: Bool { begun.read { $0 } }

    /// Begins the drain. Calling it again changes nothing.
    public func begin() { begun.change { $0 = true } }

    /// Returns when the drain has begun, or when the task is cancelled.
    public func wait() async { _ = await begun.wait { $0 ? true : nil } }

    /// Runs `operation` to its end, and cancels it when the drain begins. What it returns after that is not lost.
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

    /// Runs `operation` until it ends or the drain begins, whichever is first. If the drain is first, cancels it.
    /// - Returns: what the operation returned. nil if the drain ended it.
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
