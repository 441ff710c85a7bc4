import Foundation
import Pipeline

/// Decides whether jobs of a service pass. It is a pure value that is told what happens and when.
///
/// While it is closed, everything passes. It opens if five jobs in a row are refused or time out, or if five are
/// answered with errors. Then nothing passes, and `health` is probed. When that answers, the breaker is half-open: one
/// job passes, and its outcome closes or opens it.
struct CircuitBreaker {
    /// The call of one job, with all its tries.
    typealias Call = Int

    /// The outcome of one try.
    enum Report: Equatable {
        /// A good answer.
        case answered
        /// A complete HTTP answer that is not a good one.
        case faulty
        /// The answers to this job say that the service cannot do it, and no tries are left.
        case failed(job: UUID, String)
        /// The connection was made, but broke.
        case broken
        case refused(String)
        case timedOut(String)
        /// A Retry-After that is longer than a try may wait.
        case asksForPause(until: Date, String)
    }

    /// What follows from a report.
    struct Effect: Equatable {
        /// Whether the job goes back to the queue.
        var givesBack = false
        /// Whether the try counts although the job goes back.
        var countsTry = false
        var change: Change?
    }

    /// What a change of state means to those who wait, and to the log.
    enum Change: Equatable {
        case opened(String)
        case reopened
        case closed
    }

    /// What a caller that wants to take jobs has to do.
    enum Step: Equatable {
        case take(Int)
        case pause(until: Date)
        /// This caller probes. Nobody else does until it has reported.
        case probe(at: Date)
        case wait
    }

    private struct Outage {
        var reason: String
        /// Whether the service answers, but with errors. Only a good answer shows that this is over.
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

        /// If the wall clock is set back, the wait must not become longer.
        mutating func adapt(to now: Date) { probeAt = min(probeAt, now.addingTimeInterval(wait)) }
    }

    /// Failures in a row.
    private struct Row {
        /// Calls that were refused or timed out since the last complete answer.
        var calls: Set<Call> = []
        /// Jobs whose answers were errors since the last good answer.
        var jobs: Set<UUID> = []
        /// No job is taken before this time.
        var pausedUntil: Date?

        var isEmpty: Bool { calls.isEmpty && jobs.isEmpty && pausedUntil == nil }
    }

    private enum State {
        case closed(Row)
        case open(Outage)
        /// - errors: the errors, after an outage in which the service answered with errors.
        case halfOpen(trial: Call?, errors: String?)
    }

    private static let rowLimit = 5
    /// In an outage of errors, this many failed trials, each of a job that had failed before, show that it will not
    /// pass soon.
    private static let lastingTrials = 3
    /// This many jobs are tried once each, one soon after another, since the first ones may be bad pictures before good
    /// ones.
    private static let firstRound = 60
    private static let longestProbeWait = 15.0

    private var state = State.closed(Row())
    /// Time-outs of this many jobs in a row open the breaker: five, or as many as there are calls in flight. With fewer
    /// calls in flight, a fifth would come only after the first ones have used up their tries.
    private let timeoutLimit: Int
    /// Trials that failed since it opened. The waits grow with them. The first error of a job does not count.
    private var failedTrials = 0
    /// Jobs that have failed since the last good answer, after the breaker opened because of errors.
    private var failedJobs: Set<UUID> = []

    /// - Parameter concurrency: how many calls are in flight at once.
    init(concurrency: Int = CircuitBreaker.rowLimit) {
        timeoutLimit = min(CircuitBreaker.rowLimit, max(concurrency, 2))
    }

    /// The state as others see it.
    var condition: BreakerState {
        switch state {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    // MARK: Calls

    /// Whether this call's next try may be made. If several ask while the breaker is half-open, the first one may.
    /// - Returns: why not. nil if it may.
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

    /// - Parameter jitter: between 0.5 and 1, the part of a wait that is taken. It is only computed if there is a wait:
    ///   every answer passes here, and random numbers cost a system call.
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
            // `health` answered and this job failed all the same, so it counts as the job's failure too.
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
            // `health` answered and this job did not, so the try counts for the job.
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

    /// 0.1, 0.2, 0.4, 0.8 seconds.
    private static func pause(_ refusals: Int) -> Double { 0.1 * Double(1 << max(0, refusals - 1)) }

    /// 1, 2, 4, 8, 15, 15 … seconds.
    private static func wait(_ failures: Int) -> Double {
        min(Double(1 << min(failures, 10)), CircuitBreaker.longestProbeWait)
    }

    /// The call is over. If it was the trial and decided nothing, another call may be the trial.
    /// - Returns: whether this changes anything for those who wait.
    mutating func end(_ call: Call) -> Bool {
        guard case .halfOpen(call, let errors) = state else { return false }
        state = .halfOpen(trial: nil, errors: errors)
        return true
    }

    // MARK: Taking and probing

    /// Why no job passes. nil while some do.
    var outage: String? {
        if case .open(let outage) = state { outage.reason } else { nil }
    }

    /// Like `outage`, but nil for errors that may be due to single pictures.
    var lastingOutage: String? {
        guard case .open(let outage) = state, !outage.isOfErrors || failedTrials >= CircuitBreaker.lastingTrials else {
            return nil
        }
        return outage.reason
    }

    /// What is wrong, even while one job tries whether the service still answers with errors.
    var trouble: String? {
        switch state {
        case .closed: nil
        case .open(let outage): outage.reason
        case .halfOpen(_, let errors): errors
        }
    }

    /// Whether all jobs pass, without a pause.
    var isClosed: Bool {
        if case .closed(let row) = state { row.pausedUntil == nil } else { false }
    }

    mutating func step(at now: Date) -> Step {
        switch state {
        case .closed(var row):
            // Dates are no finer than this.
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

    /// Takes the report of the caller that probed. The waits between probes are 1, 2, 4, 8, 15, 15 … seconds.
    /// - Parameter began: when the probe was sent.
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

    /// The caller that was to probe does not.
    mutating func abandonProbe() {
        guard case .open(var outage) = state else { return }
        outage.isProbed = false
        state = .open(outage)
    }
}
