import Synchronization

/// The event streams that a server has open. A stream lasts as long as its reader likes, so there are only so many: the
/// oldest ends when one more begins. Whoever still looks at it connects again, and is told at once what is new.
final class EventStreams: Sendable {
    /// More than the viewers of a large farm, and a third of the connections of a server of pages.
    static let limit = 256

    private struct State {
        /// By number: the lower, the older.
        var ends: [Int: @Sendable () -> Void] = [:]
        var last = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int = EventStreams.limit) { self.limit = limit }

    /// A number for a stream that is about to begin.
    func number() -> Int {
        state.withLock { state in
            state.last += 1
            return state.last
        }
    }

    /// A stream begins, and another one may have to end.
    /// - Parameter end: ends it.
    func begin(_ number: Int, end: @escaping @Sendable () -> Void) {
        let oldest = state.withLock { state -> (@Sendable () -> Void)? in
            state.ends[number] = end
            guard state.ends.count > limit, let oldest = state.ends.keys.min() else { return nil }
            return state.ends.removeValue(forKey: oldest)
        }
        oldest?()
    }

    /// A stream has ended. It may be told twice.
    func ended(_ number: Int) { state.withLock { $0.ends[number] = nil } }
}
