import Foundation
import Pipeline

/// Decides whether jobs of a service pass: a pure value, told what happens and when.
///
/// Closed, all pass. Refusals or time-outs of five jobs in a row, or errors in answer to five, open it: none passes, and
/// `health` is probed. When that answers it is half-open: one job passes, and what becomes of it closes or opens it.
struct CircuitBreaker {
    /// One job's call with all its tries.
    typealias Call = Int

    /// What became of one try.
    enum Report: Equatable {
        /// A sound answer.
        case answered
        /// A whole HTTP answer that is none.
        case faulty
        /// What the service answers to this job says that it cannot; no tries are left.
        case failed(job: UUID, String)
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
        /// It answers, but with errors: only a sound answer shows that it is over.
        let isOfErrors: Bool
        private(set) var probeAt: Date
        private var wait: Double
        var failedProbes = 0
        var isProbed = false

        init(reason: String, isOfErrors: Bool = false, at now: Date, wait: Double) {
            self.reason = reason
            self.isOfErrors = isOfErrors
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

    /// What has gone wrong in a row.
    private struct Row {
        /// Refused or timed out since the last whole answer.
        var calls: Set<Call> = []
        /// Jobs that failed by what the service answered, since its last sound answer.
        var jobs: Set<UUID> = []
        /// Until then none is taken.
        var pausedUntil: Date?

        var isEmpty: Bool { calls.isEmpty && jobs.isEmpty && pausedUntil == nil }
    }

    private enum State {
        case closed(Row)
        case open(Outage)
        /// - errors: why, after an outage in which it answered with errors.
        case halfOpen(trial: Call?, errors: String?)
    }

    private static let rowLimit = 5
    /// An outage of errors in which so many trials have failed, each of a job that had failed before, will not pass in a moment.
    private static let lastingTrials = 3
    /// So many jobs are tried once, one soon after another, since the first may be bad pictures before good ones.
    private static let firstRound = 60
    private static let longestProbeWait = 15.0

    private var state = State.closed(Row())
    /// Time-outs of so many jobs in a row open it: five, or as many as are in flight at once, since with fewer a fifth
    /// would only come when the first have used up their tries.
    private let timeoutLimit: Int
    /// Trials that failed since it opened: the waits grow over them too. The first error of a job is none.
    private var failedTrials = 0
    /// Jobs that have failed since the last sound answer, after it opened for errors.
    private var failedJobs: Set<UUID> = []

    /// - Parameter concurrency: how many calls are in flight at once.
    init(concurrency: Int = CircuitBreaker.rowLimit) {
        timeoutLimit = min(CircuitBreaker.rowLimit, max(concurrency, 2))
    }

    /// What it is to those who look at it from outside.
    var condition: BreakerState {
        switch state {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    // MARK: Calls

    /// Whether this call's next try may go out; of several in the half-open state the first one may.
    /// - Returns: why not; nil if it may.
    mutating func refusal(of call: Call) -> String? {
        switch state {
        case .closed: return nil
        case .open(let outage): return outage.reason
        case .halfOpen(let trial, let errors):
            guard trial == nil || trial == call else { return "is being tried with one job" }
            state = .halfOpen(trial: call, errors: errors)
            return nil
        }
    }

    /// - Parameter jitter: 0.5…1, the part of a wait that is taken; asked for only where there is one, as every answer comes
    ///   by here and random numbers are the system's.
    mutating func report(
        _ event: Report, of call: Call, at now: Date, jitter: @autoclosure () -> Double
    ) -> Effect {
        switch state {
        case .closed(let row): return reportWhileClosed(event, call, row, now, jitter)
        case .open(var outage):
            if case .asksForPause(let until, let reason) = event, until > outage.probeAt {
                outage.probe(at: now, after: until.timeIntervalSince(now))
                outage.reason = reason
                state = .open(outage)
            }
        case .halfOpen(let trial, let errors):
            if trial == call { return reportOnTrial(event, isOfErrors: errors != nil, now, jitter) }
        }
        switch event {
        case .answered, .faulty, .broken: return Effect()
        case .failed, .refused, .timedOut, .asksForPause: return Effect(givesBack: true)
        }
    }

    private mutating func reportWhileClosed(
        _ event: Report, _ call: Call, _ row: Row, _ now: Date, _ jitter: () -> Double
    ) -> Effect {
        assert(row.calls.count < CircuitBreaker.rowLimit, "so many calls in a row open it")
        assert(row.jobs.count < CircuitBreaker.rowLimit, "so many failed jobs in a row open it")
        switch event {
        case .answered:
            if !row.isEmpty { state = .closed(Row()) }
            return Effect()
        case .faulty:
            if !row.isEmpty { state = .closed(Row(jobs: row.jobs)) }
            return Effect()
        case .failed(let job, let reason):
            var row = row
            row.jobs.insert(job)
            state = .closed(row)
            guard row.jobs.count >= CircuitBreaker.rowLimit else { return Effect() }
            failedJobs = row.jobs
            open(reason, isOfErrors: true, now, jitter)
            return Effect(givesBack: true, change: .opened(reason))
        case .broken: return Effect()
        case .asksForPause(let until, let reason):
            state = .open(Outage(reason: reason, at: now, wait: until.timeIntervalSince(now)))
            return Effect(givesBack: true, change: .opened(reason))
        case .refused(let reason), .timedOut(let reason):
            var row = row
            row.calls.insert(call)
            var limit = CircuitBreaker.rowLimit
            if case .timedOut = event { limit = timeoutLimit }
            if row.calls.count >= limit {
                open(reason, now, jitter)
                return Effect(givesBack: true, change: .opened(reason))
            }
            if case .timedOut = event {
                row.pausedUntil = nil
                state = .closed(row)
                return Effect()
            }
            row.pausedUntil = now.addingTimeInterval(CircuitBreaker.pause(row.calls.count) * jitter())
            state = .closed(row)
            return Effect(givesBack: true)
        }
    }

    private mutating func reportOnTrial(
        _ event: Report, isOfErrors: Bool, _ now: Date, _ jitter: () -> Double
    ) -> Effect {
        switch event {
        case .faulty where isOfErrors, .broken where isOfErrors: return Effect()
        case .failed(let job, let reason):
            // `health` answered and this job failed all the same: it is the job's failure too.
            let isFirst = failedJobs.count < CircuitBreaker.firstRound && failedJobs.insert(job).inserted
            if !isFirst { failedTrials += 1 }
            open(reason, isOfErrors: true, now, jitter)
            return Effect(givesBack: true, countsTry: true, change: .reopened)
        case .answered, .faulty, .broken:
            state = .closed(Row())
            failedTrials = 0
            failedJobs = []
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

    private mutating func open(
        _ reason: String, isOfErrors: Bool = false, _ now: Date, _ jitter: () -> Double
    ) {
        let wait = CircuitBreaker.wait(failedTrials) * jitter()
        state = .open(Outage(reason: reason, isOfErrors: isOfErrors, at: now, wait: wait))
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
        guard case .halfOpen(call, let errors) = state else { return false }
        state = .halfOpen(trial: nil, errors: errors)
        return true
    }

    // MARK: Taking and probing

    /// Why no job passes; nil while some do.
    var outage: String? {
        if case .open(let outage) = state { outage.reason } else { nil }
    }

    /// The same, but nil for errors that may have been of single pictures.
    var lastingOutage: String? {
        guard case .open(let outage) = state, !outage.isOfErrors || failedTrials >= CircuitBreaker.lastingTrials else {
            return nil
        }
        return outage.reason
    }

    /// What is wrong: also while one job shows whether it still answers with errors.
    var trouble: String? {
        switch state {
        case .closed: nil
        case .open(let outage): outage.reason
        case .halfOpen(_, let errors): errors
        }
    }

    /// Whether all pass, without a pause.
    var isClosed: Bool {
        if case .closed(let row) = state { row.pausedUntil == nil } else { false }
    }

    mutating func step(at now: Date) -> Step {
        switch state {
        case .closed(var row):
            // Dates are no finer than that.
            guard let pausedUntil = row.pausedUntil, pausedUntil.timeIntervalSince(now) > 0.001 else {
                return .take(.max)
            }
            let until = min(pausedUntil, now.addingTimeInterval(CircuitBreaker.pause(row.calls.count)))
            row.pausedUntil = until
            state = .closed(row)
            return .pause(until: until)
        case .halfOpen(let trial, _): return trial == nil ? .take(1) : .wait
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
            state = .halfOpen(trial: nil, errors: outage.isOfErrors ? outage.reason : nil)
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
