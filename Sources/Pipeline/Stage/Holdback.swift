import Foundation
import Synchronization

/// Holds back work of which more is expected, so that a role that computes from the newest rows does so when it counts: as soon
/// as everything expected is there, and before that at most once a second for each key.
final class Holdback<Handler: StageHandler>: Sendable {
    /// How many seconds pass at least between two computations for a key that is still incomplete.
    private static var interval: Double { 1 }
    /// With so many keys held, nothing that is incomplete is computed earlier than after `longest`.
    private static var load: Int { 16 }
    /// How many seconds something may be held back. Together with the longest `GatheringPause` it is two seconds.
    private static var longest: Double { 1.75 }

    private struct State: Sendable {
        var held: [Handler.Key: Stage<Handler>.Item] = [:]
        /// When keys were let go lately.
        var released: [Handler.Key: Date] = [:]
    }

    private let handler: Handler
    private let state = Mutex(State())

    init(_ handler: Handler) { self.handler = handler }

    /// Adds items, those of a key that is held to that one.
    func add(_ items: [Stage<Handler>.Item]) {
        state.withLock { state in
            for item in items {
                guard var present = state.held[item.key] else {
                    state.held[item.key] = item
                    continue
                }
                handler.add(item.work, to: &present.work)
                present.receipts += item.receipts
                present.causes += item.causes
                state.held[item.key] = present
            }
        }
    }

    /// Takes what is due.
    /// - Parameter room: how many deliveries may stay. Those of the oldest keys do not, if there are more.
    func takeDue(at now: Date, room: Int) -> [Stage<Handler>.Item] {
        state.withLock { state in
            state.released = state.released.filter { isRecent($0.value, now) }
            let isLoaded = state.held.count >= Holdback.load
            var due: [Stage<Handler>.Item] = []
            var left = room
            for item in state.held.values.sorted(by: { $0.taken > $1.taken }) {
                left -= item.receipts.count
                if left < 0 || self.due(item, state.released[item.key], isLoaded, now) <= now { due.append(item) }
            }
            for item in due {
                state.held[item.key] = nil
                state.released[item.key] = now
            }
            return due.sorted { $0.taken < $1.taken }
        }
    }

    /// Takes everything.
    func takeAll() -> [Stage<Handler>.Item] {
        state.withLock { state in
            defer { state.held = [:] }
            return Array(state.held.values)
        }
    }

    /// How long to wait until something is due, if nothing comes. nil if nothing is held.
    func rest(at now: Date) -> Duration? {
        state.withLock { state in
            let isLoaded = state.held.count >= Holdback.load
            let next = state.held.values.map { self.due($0, state.released[$0.key], isLoaded, now) }.min()
            // On a coarse clock, a shorter wait would last no time at all.
            return next.map { max(TokenPurse.shortestWait, .seconds($0.timeIntervalSince(now))) }
        }
    }

    private func due(_ item: Stage<Handler>.Item, _ released: Date?, _ isLoaded: Bool, _ now: Date) -> Date {
        guard released != nil || isLoaded, handler.expectsMore(item.work) else { return now }
        let since = released ?? item.taken
        // The wall clock was set back: nothing is held for longer.
        guard since <= now else { return now }
        return since + (isLoaded ? Holdback.longest : Holdback.interval)
    }

    private func isRecent(_ date: Date, _ now: Date) -> Bool { abs(now.timeIntervalSince(date)) < Holdback.longest }
}
