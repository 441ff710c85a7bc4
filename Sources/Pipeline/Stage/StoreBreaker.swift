import Foundation
import Model

/// Why the store takes no rows at present.
public struct StoreOutage: Sendable {
    /// The newest fault that the store reported.
    public var fault: PortFault
    /// The time since which nothing could be written.
    public var since: Date

    /// Whether the store is out of reach, busy or full. If not, somebody has to mend it.
    public var isPassing: Bool { fault.kind == .transient }
}

/// Decides whether the store is asked to take rows. It is a pure value that is told what happens and when.
///
/// While it is closed, everything passes. A store that would refuse any row opens it: then nothing passes, and plain
/// rows are tried. When the store takes those, the breaker is half-open: answers in hand, or one job of each role, show
/// whether it takes real rows too.
struct StoreBreaker {
    /// A plain row that the store did not take.
    struct Refusal: Hashable {
        var row: PlainRow
        /// nil if the row was of no particular image.
        var image: ImageID?
    }

    /// What a change of state means to those who wait, and to the log.
    enum Change: Equatable {
        case opened
        case reopened
        case closed
    }

    /// What a caller that wants to take jobs has to do.
    enum Step {
        case take(Int)
        /// This caller probes. Nobody else does until it has reported.
        case probe(at: Date, [Refusal])
        case wait(until: Date?)
    }

    private struct Opening {
        var fault: PortFault
        var refusals: [Refusal]
        var probeAt: Date
        var wait: Double
        var failedProbes = 0
        var isProbed = false
    }

    private enum State {
        case closed
        case open(Opening)
        /// When each role had its last trial.
        case halfOpen(trials: [PlainRow: Date])
    }

    /// After this many seconds a role may have another trial, though the last one was not decided.
    private static let trialLimit = 15.0
    private static let longestProbeWait = 15.0
    /// One row for each role is enough, except for images whose rows go to tables of their own.
    private static let refusalLimit = 32

    private var state = State.closed
    /// When the first fault came after which nothing has been written yet.
    private(set) var since: Date?
    /// How often it has opened since then.
    private var failedTrials = 0
    /// How many faults are being judged.
    private var suspicions = 0

    // MARK: Faults

    /// - Parameter jitter: between 0.5 and 1, the part of a wait that is taken.
    /// - Returns: nil if it was open already.
    mutating func open(_ fault: PortFault, _ refusal: Refusal, at now: Date, jitter: Double) -> Change? {
        let change: Change
        switch state {
        case .open(var opening):
            if !opening.refusals.contains(refusal), opening.refusals.count < StoreBreaker.refusalLimit {
                opening.refusals.append(refusal)
                state = .open(opening)
            }
            return nil
        case .closed: change = .opened
        case .halfOpen:
            failedTrials += 1
            change = .reopened
        }
        if since == nil { since = now }
        let wait = StoreBreaker.wait(failedTrials) * jitter
        state = .open(
            Opening(fault: fault, refusals: [refusal], probeAt: now.addingTimeInterval(wait), wait: wait))
        return change
    }

    /// 1, 2, 4, 8, 15, 15 … seconds.
    private static func wait(_ failures: Int) -> Double { min(Double(1 << min(failures, 10)), longestProbeWait) }

    /// Rows were written.
    mutating func worked() -> Change? {
        guard case .halfOpen = state else { return nil }
        (state, since, failedTrials) = (.closed, nil, 0)
        return .closed
    }

    /// The job that this role took as its trial was settled without writing a row, so another one may be taken.
    /// - Returns: whether this changes anything for those who wait.
    mutating func passed(_ row: PlainRow) -> Bool {
        guard case .halfOpen(var trials) = state, trials.removeValue(forKey: row) != nil else { return false }
        state = .halfOpen(trials: trials)
        return true
    }

    mutating func suspect() { suspicions += 1 }
    mutating func judged() {
        suspicions -= 1
        assert(suspicions >= 0, "what is judged was suspected before")
    }

    /// Whether a fault is being judged. Until it is, nobody knows whether the store is at fault.
    var isSuspected: Bool { suspicions > 0 }

    // MARK: Taking and probing

    /// Why nothing passes. nil while something does.
    var outage: StoreOutage? {
        guard case .open(let opening) = state, let since else { return nil }
        return StoreOutage(fault: opening.fault, since: since)
    }

    /// Whether everything passes.
    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// - Parameter row: the plain row of the role that wants to take a job. nil for a caller that only wants to know
    ///   whether anything passes.
    mutating func step(_ row: PlainRow?, at now: Date) -> Step {
        switch state {
        case .closed: return .take(.max)
        case .halfOpen(var trials):
            guard let row else { return .take(1) }
            if let last = trials[row] {
                let next = last.addingTimeInterval(StoreBreaker.trialLimit)
                // If the wall clock is set back, the wait must not become longer. Dates are no finer than a
                // millisecond.
                guard next.timeIntervalSince(now) < 0.001 || last > now else { return .wait(until: next) }
            }
            trials[row] = now
            state = .halfOpen(trials: trials)
            return .take(1)
        case .open(var opening):
            if opening.isProbed { return .wait(until: nil) }
            opening.isProbed = true
            opening.probeAt = min(opening.probeAt, now.addingTimeInterval(opening.wait))
            state = .open(opening)
            return .probe(at: opening.probeAt, opening.refusals)
        }
    }

    /// Takes the report of the caller that probed. The waits between probes are 1, 2, 4, 8, 15, 15 … seconds.
    /// - Parameters:
    ///   - fault: nil if the store took every plain row.
    ///   - tried: the rows that were tried. Others may have been refused meanwhile.
    mutating func probed(_ fault: PortFault?, tried: [Refusal], at now: Date, jitter: Double) {
        guard case .open(var opening) = state else { return }
        opening.isProbed = false
        if let fault {
            opening.fault = fault
            opening.failedProbes += 1
            opening.wait = StoreBreaker.wait(failedTrials + opening.failedProbes) * jitter
            opening.probeAt = now.addingTimeInterval(opening.wait)
            state = .open(opening)
        } else if opening.refusals.count > tried.count {
            opening.refusals.removeAll(where: tried.contains)
            opening.probeAt = now
            state = .open(opening)
        } else {
            state = .halfOpen(trials: [:])
        }
    }

    /// The caller that was to probe does not.
    mutating func abandonProbe() {
        guard case .open(var opening) = state else { return }
        opening.isProbed = false
        state = .open(opening)
    }
}
