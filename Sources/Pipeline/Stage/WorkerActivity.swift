import Foundation
import Synchronization

/// What a worker has done so far; its heartbeats tell it.
public final class WorkerActivity: EventSink {
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

    /// Counts jobs that were settled for good. Of a job that is dead the next heartbeat says why.
    public func receive(_ event: Event, from source: EventSource) {
        guard case .settled(let settled) = event else { return }
        state.withLock { state in
            switch settled.fate {
            case .givenBack: return
            case .success, .duplicate: break
            case .dead(let letter):
                state.failed += 1
                state.error = "\(letter.reason): \(letter.message)"
            }
            state.completed += settled.count
            state.lastJob = settled.date
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
