import NIOCore
import Synchronization

/// The open connections of a server. When they become many, those on which nothing is asked make room for new ones, the
/// oldest first; where there are none, the one that has been answered for the longest. Otherwise a client that opens
/// connections and says nothing, or that reads answers as slowly as it can, would keep everyone else out.
final class ConnectionRoom: Sendable {
    /// What a connection is doing, in the order in which connections have to leave.
    enum Activity: Int, Comparable {
        /// Nothing is asked on it.
        case idle
        /// A request's body is coming in.
        case receiving
        /// A request is being answered, or an answer has not been taken yet.
        case answering

        static func < (left: Activity, right: Activity) -> Bool { left.rawValue < right.rawValue }
    }

    /// Tells a connection that it has to leave before it is closed: what it has not sent by then is lost.
    struct HasToLeave: Sendable {}

    private struct Entry {
        let channel: any Channel
        var activity: Activity
        /// Larger the later it came to this activity.
        var turn: Int
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var turns = 0

        mutating func nextTurn() -> Int {
            turns += 1
            return turns
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: from then on, connections have to leave.
    init(limit: Int) { self.limit = limit }

    /// A connection has been opened. It may be told twice.
    func entered(_ channel: any Channel) {
        let leaving: (any Channel)? = state.withLock { state in
            guard state.entries[ObjectIdentifier(channel)] == nil else { return nil }
            state.entries[ObjectIdentifier(channel)] = Entry(
                channel: channel, activity: .idle, turn: state.nextTurn())
            guard state.entries.count > limit else { return nil }
            let others = state.entries.values.filter { $0.channel !== channel }
            guard let first = others.min(by: { ($0.activity, $0.turn) < ($1.activity, $1.turn) }) else { return nil }
            state.entries[ObjectIdentifier(first.channel)] = nil
            return first.channel
        }
        guard let leaving else { return }
        leaving.triggerUserOutboundEvent(HasToLeave(), promise: nil)
        leaving.close(promise: nil)
    }

    /// A connection does something else now.
    func changed(_ channel: any Channel, to activity: Activity) {
        state.withLock { state in
            guard var entry = state.entries[ObjectIdentifier(channel)], entry.activity != activity else { return }
            (entry.activity, entry.turn) = (activity, state.nextTurn())
            state.entries[ObjectIdentifier(channel)] = entry
        }
    }

    /// A connection has been closed. It may be told twice.
    func left(_ channel: any Channel) { state.withLock { $0.entries[ObjectIdentifier(channel)] = nil } }
}
