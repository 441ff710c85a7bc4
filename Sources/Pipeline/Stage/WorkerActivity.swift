import Foundation
import Synchronization

/// What a worker has done so far; its heartbeats tell it.
public final class WorkerActivity: Sendable {
    /// The counts at one moment.
    public struct Snapshot: Sendable {
        /// Settled for good: with a result or dead.
        public var completed = 0
        /// Of those, dead.
        public var failed = 0
        /// When the last one was settled.
        public var lastJob: Date?
        /// The newest failure that no heartbeat has told yet.
        public var error: String?
    }

    private let state = Mutex(Snapshot())

    package init() {}

    /// The counts now.
    public var snapshot: Snapshot { state.withLock { $0 } }

    /// Jobs were settled for good.
    public func completed(_ count: Int, at date: Date) {
        guard count > 0 else { return }
        state.withLock {
            $0.completed += count
            $0.lastJob = date
        }
    }

    /// A job is dead; the next heartbeat says why.
    public func failed(_ message: String) {
        state.withLock {
            $0.failed += 1
            $0.error = message
        }
    }

    /// The newest failure, once.
    public func takeError() -> String? {
        state.withLock { state in
            defer { state.error = nil }
            return state.error
        }
    }
}
