import Foundation
import Synchronization

/// Finds how many deliveries a stage should hold, so that it has about 200 ms of work ahead.
///
/// A queue hands over, admits and commits many deliveries for little more than the price of one. But what one worker
/// holds, no other can take. So a worker of a fast service holds many, and one of a slow service holds few.
final class Pace: Sendable {
    /// How many seconds of work are fetched ahead.
    private static let ahead = 0.2
    /// More makes groups no cheaper.
    private static let most = 500
    /// How many seconds at work are looked at together.
    private static let window = 0.5
    /// After so many jobs the window may end early, so that a fast service's worker finds its pace soon.
    private static let enough = 32
    /// But no sooner. Jobs are done in groups, and one group's moment says nothing about the pace.
    private static let shortestWindow = 0.1
    /// A smaller rise is not worth the beginning of another consumer.
    private static let rise = 1.5
    /// A smaller fall is not worth giving back what was fetched: those jobs are then redelivered, and the store is asked about
    /// each once more.
    private static let fall = 3.0

    private struct State: Sendable {
        var inHand = 0
        /// Since when there has been something in hand in this window. nil while there is nothing.
        var since: Date?
        /// How many seconds of this window there was something in hand.
        var busy = 0.0
        var done = 0
        /// Jobs per second at work. nil until it was measured.
        var rate: Double?
        var prefetch = 0

        mutating func pass(to now: Date) {
            // If the wall clock is set back, the time in between is lost.
            if let since { busy += max(0, now.timeIntervalSince(since)) }
            since = inHand > 0 ? now : nil
        }

        mutating func measure() {
            guard busy >= (done >= Pace.enough ? Pace.shortestWindow : Pace.window) else { return }
            rate = Double(done) / busy
            (busy, done) = (0, 0)
        }
    }

    private let state = Mutex(State())

    /// Says that work was taken.
    func took(_ count: Int, at now: Date) {
        guard count > 0 else { return }
        state.withLock { state in
            state.pass(to: now)
            state.inHand += count
            if state.since == nil { state.since = now }
        }
    }

    /// Says that work is out of hand.
    /// - Parameter done: how much of it was done. The rest went back.
    func finished(_ count: Int, done: Int, at now: Date) {
        state.withLock { state in
            state.pass(to: now)
            state.inHand -= count
            assert(state.inHand >= 0, "no more work is finished than was taken")
            if state.inHand == 0 { state.since = nil }
            state.done += done
            state.measure()
        }
    }

    /// How many deliveries may be unsettled now.
    /// - Parameter least: what is worked on at once. There is no measuring how fast it is with less.
    func prefetch(atLeast least: Int) -> Int {
        state.withLock { state in
            let wanted = max(least, min(Pace.most, least + Int((state.rate ?? 0) * Pace.ahead)))
            let (present, next) = (Double(state.prefetch), Double(wanted))
            if state.prefetch < least || next >= present * Pace.rise || next * Pace.fall <= present {
                state.prefetch = wanted
            }
            return state.prefetch
        }
    }
}
