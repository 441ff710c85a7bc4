import Foundation
import Synchronization

/// Counts what a worker has done so far, for its heartbeats.
public final class WorkerActivity: EventSink {
    /// The counts at one moment.
    public struct Snapshot: Sendable {
        /// Jobs that were settled for good: with a result, or dead.
        public var completed = 0
        /// The dead ones among them.
        public var failed = 0
        /// When the last job was settled.
        public var lastJob: Date?
        /// The newest failure that no heartbeat has reported yet.
        public var error: String?
    }

    private let state = Mutex(Snapshot())

    package init() {}

    /// The present counts.
    public var snapshot: Snapshot { state.withLock { $0 } }

    /// Counts jobs that were settled for good. The next heartbeat reports why a job is dead.
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

    /// Returns the newest failure, once.
    public func takeError() -> String? {
        state.withLock { state in
            defer { state.error = nil }
            return state.error
        }
    }
}
