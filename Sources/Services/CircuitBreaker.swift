import Foundation
import Pipeline

/// Decides whether jobs of a service pass: a pure value, told what happens and when.
///
/// Closed, all pass. Refusals or time-outs of five jobs in a row open it: none passes, and `health` is probed. When
/// that answers it is half-open: one job passes, and what becomes of it closes or opens it.
struct CircuitBreaker {
    /// One job's call with all its tries.
    typealias Call = Int

    /// What became of one try.
    enum Event: Equatable {
        /// A whole HTTP answer of any status.
        case answered
        /// Connected, but cut off.
        case broken
        case refused(String)
        case timedOut(String)
        /// A Retry-After that is longer than a try may wait.
        case asksForPause(until: Date, String)
    }

    /// What follows from an event.
    struct Effect: Equatable {
        /// The job goes back to the queue.
        var givesBack = false
        /// A try that goes back counts nevertheless.
        var countsTry = false
        var change: Change?
    }

    /// What a change of state is to those who wait, and to the log.
    enum Change: Equatable {
        case opened(String)
        case reopened
        case closed
    }

    /// What one who wants to take jobs has to do.
    enum Step: Equatable {
        case take(Int)
        case pause(until: Date)
        /// This caller is the one who probes; nobody else does until it has reported.
        case probe(at: Date)
        case wait
    }

    private struct Outage {
        var reason: String
        private(set) var probeAt: Date
        private var wait: Double
        var failedProbes = 0
        var isProbed = false

        init(reason: String, at now: Date, wait: Double) {
            self.reason = reason
            self.wait = wait
            probeAt = now.addingTimeInterval(wait)
        }

        mutating func probe(at now: Date, after wait: Double) {
            self.wait = wait
            probeAt = now.addingTimeInterval(wait)
        }

        /// A wall clock that is set back must not make the wait longer.
        mutating func adapt(to now: Date) { probeAt = min(probeAt, now.addingTimeInterval(wait)) }
    }

    private enum State {
        /// The calls that were refused or timed out since the last answer, and until when none is taken.
        case closed(row: Set<Call>, pausedUntil: Date?)
        case open(Outage)
        case halfOpen(trial: Call?)
    }

    private static let rowLimit = 5
    private static let longestProbeWait = 15.0

    private var state = State.closed(row: [], pausedUntil: nil)
    /// Time-outs of so many jobs in a row open it: five, or as many as are in flight at once, since with fewer a fifth
    /// would only come when the first have used up their tries.
    private let timeoutLimit: Int
    /// Trials that failed since it opened: the waits grow over them too.
    private var failedTrials = 0

    /// - Parameter concurrency: how many calls are in flight at once.
    init(concurrency: Int = CircuitBreaker.rowLimit) {
        timeoutLimit = min(CircuitBreaker.rowLimit, max(concurrency, 2))
    }

    // MARK: Calls

    /// Whether this call's next try may go out; of several in the half-open state the first one may.
    /// - Returns: why not; nil if it may.
    mutating func refusal(of call: Call) -> String? {
        switch state {
        case .closed: return nil
        case .open(let outage): return outage.reason
        case .halfOpen(let trial):
            guard trial == nil || trial == call else { return "is being tried with one job" }
            state = .halfOpen(trial: call)
            return nil
        }
    }

    /// - Parameter jitter: 0.5…1, the part of a wait that is taken; asked for only where there is one, as every answer comes
    ///   by here and random numbers are the system's.
    mutating func report(
        _ event: Event, of call: Call, at now: Date, jitter: @autoclosure () -> Double
    ) -> Effect {
        switch state {
        case .closed(let row, _): return reportWhileClosed(event, call, row, now, jitter)
        case .open(var outage):
            if case .asksForPause(let until, let reason) = event, until > outage.probeAt {
                outage.probe(at: now, after: until.timeIntervalSince(now))
                outage.reason = reason
                state = .open(outage)
            }
        case .halfOpen(let trial):
            if trial == call { return reportOnTrial(event, now, jitter) }
        }
        switch event {
        case .answered, .broken: return Effect()
        case .refused, .timedOut, .asksForPause: return Effect(givesBack: true)
        }
    }

    private mutating func reportWhileClosed(
        _ event: Event, _ call: Call, _ row: Set<Call>, _ now: Date, _ jitter: () -> Double
    ) -> Effect {
        switch event {
        case .answered:
            if !row.isEmpty { state = .closed(row: [], pausedUntil: nil) }
            return Effect()
        case .broken: return Effect()
        case .asksForPause(let until, let reason):
            state = .open(Outage(reason: reason, at: now, wait: until.timeIntervalSince(now)))
            return Effect(givesBack: true, change: .opened(reason))
        case .refused(let reason), .timedOut(let reason):
            let row = row.union([call])
            var limit = CircuitBreaker.rowLimit
            if case .timedOut = event { limit = timeoutLimit }
            if row.count >= limit {
                open(reason, now, jitter)
                return Effect(givesBack: true, change: .opened(reason))
            }
            if case .timedOut = event {
                state = .closed(row: row, pausedUntil: nil)
                return Effect()
            }
            let pause = CircuitBreaker.pause(row.count) * jitter()
            state = .closed(row: row, pausedUntil: now.addingTimeInterval(pause))
            return Effect(givesBack: true)
        }
    }

    private mutating func reportOnTrial(_ event: Event, _ now: Date, _ jitter: () -> Double) -> Effect {
        switch event {
        case .answered, .broken:
            state = .closed(row: [], pausedUntil: nil)
            failedTrials = 0
            return Effect(change: .closed)
        case .refused(let reason):
            failedTrials += 1
            open(reason, now, jitter)
            return Effect(givesBack: true, change: .reopened)
        case .timedOut(let reason):
            failedTrials += 1
            // `health` answered and this job did not: it is the job's try.
            open(reason, now, jitter)
            return Effect(givesBack: true, countsTry: true, change: .reopened)
        case .asksForPause(let until, let reason):
            state = .open(Outage(reason: reason, at: now, wait: until.timeIntervalSince(now)))
            return Effect(givesBack: true, change: .reopened)
        }
    }

    private mutating func open(_ reason: String, _ now: Date, _ jitter: () -> Double) {
        state = .open(Outage(reason: reason, at: now, wait: CircuitBreaker.wait(failedTrials) * jitter()))
    }

    /// 0.1, 0.2, 0.4, 0.8 s.
    private static func pause(_ refusals: Int) -> Double { 0.1 * Double(1 << max(0, refusals - 1)) }

    /// 1, 2, 4, 8, 15, 15 … s.
    private static func wait(_ failures: Int) -> Double {
        min(Double(1 << min(failures, 10)), CircuitBreaker.longestProbeWait)
    }

    /// The call is over; one that was the trial and said nothing makes way for another.
    /// - Returns: whether that changes anything for those who wait.
    mutating func end(_ call: Call) -> Bool {
        guard case .halfOpen(call) = state else { return false }
        state = .halfOpen(trial: nil)
        return true
    }

    // MARK: Taking and probing

    /// Why no job passes; nil while some do.
    var outage: String? {
        if case .open(let outage) = state { outage.reason } else { nil }
    }

    /// Whether all pass, without a pause.
    var isClosed: Bool {
        if case .closed(_, nil) = state { true } else { false }
    }

    mutating func step(at now: Date) -> Step {
        switch state {
        case .closed(let row, let pausedUntil):
            // Dates are no finer than that.
            guard let pausedUntil, pausedUntil.timeIntervalSince(now) > 0.001 else { return .take(.max) }
            let until = min(pausedUntil, now.addingTimeInterval(CircuitBreaker.pause(row.count)))
            state = .closed(row: row, pausedUntil: until)
            return .pause(until: until)
        case .halfOpen(let trial): return trial == nil ? .take(1) : .wait
        case .open(var outage):
            if outage.isProbed { return .wait }
            outage.isProbed = true
            outage.adapt(to: now)
            state = .open(outage)
            return .probe(at: outage.probeAt)
        }
    }

    /// The one who probed reports. The waits are 1, 2, 4, 8, 15, 15 … s from one probe to the next.
    /// - Parameter began: when the probe went out.
    mutating func probed(isUp: Bool, began: Date, at now: Date, jitter: Double) {
        guard case .open(var outage) = state else { return }
        outage.isProbed = false
        if outage.probeAt > now {
            // The service asked for a pause meanwhile.
            state = .open(outage)
        } else if isUp {
            state = .halfOpen(trial: nil)
        } else {
            outage.failedProbes += 1
            outage.probe(at: began, after: CircuitBreaker.wait(outage.failedProbes) * jitter)
            state = .open(outage)
        }
    }

    /// The one who was to probe does not.
    mutating func abandonProbe() {
        guard case .open(var outage) = state else { return }
        outage.isProbed = false
        state = .open(outage)
    }
}
