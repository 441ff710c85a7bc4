import Foundation
import Model

/// Why the store takes no rows at present.
public struct StoreOutage: Sendable {
    /// What the store said last.
    public var fault: PortFault
    /// Since when nothing could be written.
    public var since: Date

    /// Whether it is out of reach, busy or full, and not a state that somebody has to mend.
    public var isPassing: Bool { fault.kind == .transient }
}

/// Decides whether the store is asked to take rows: a pure value, told what happens and when.
///
/// Closed, all pass. A store that would refuse any row opens it: nothing passes, and plain rows are tried. When the store
/// takes those it is half-open: answers that are in hand, or one job of each role, show whether it takes the real ones.
struct StoreBreaker {
    /// A plain row that the store did not take.
    struct Refusal: Hashable {
        var row: PlainRow
        /// nil: of any image.
        var image: ImageID?
    }

    /// What a change of state is to those who wait, and to the log.
    enum Change: Equatable {
        case opened
        case reopened
        case closed
    }

    /// What one who wants to take jobs has to do.
    enum Step {
        case take(Int)
        /// This caller is the one who probes; nobody else does until it has reported.
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

    /// What decides a trial comes sooner, if it comes.
    private static let trialLimit = 15.0
    private static let longestProbeWait = 15.0
    /// Of each role one row is enough, but for those of images in tables of their own.
    private static let refusalLimit = 32

    private var state = State.closed
    /// When the first fault came after which nothing has been written yet.
    private(set) var since: Date?
    /// How often it opened since then.
    private var failedTrials = 0
    /// How many faults are being judged.
    private var suspicions = 0

    // MARK: Faults

    /// - Parameter jitter: 0.5…1, the part of a wait that is taken.
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

    /// 1, 2, 4, 8, 15, 15 … s.
    private static func wait(_ failures: Int) -> Double { min(Double(1 << min(failures, 10)), longestProbeWait) }

    /// Rows were written.
    mutating func worked() -> Change? {
        guard case .halfOpen = state else { return nil }
        (state, since, failedTrials) = (.closed, nil, 0)
        return .closed
    }

    /// What this role took as its trial is settled, without a row: another one may be taken.
    /// - Returns: whether that changes anything for those who wait.
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

    /// Whether a fault is being judged: nobody knows yet whether it is the store's.
    var isSuspected: Bool { suspicions > 0 }

    // MARK: Taking and probing

    /// Why nothing passes; nil while something does.
    var outage: StoreOutage? {
        guard case .open(let opening) = state, let since else { return nil }
        return StoreOutage(fault: opening.fault, since: since)
    }

    /// Whether all pass.
    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// - Parameter row: of the role that wants to take a job; nil: of one that wants to know whether anything passes.
    mutating func step(_ row: PlainRow?, at now: Date) -> Step {
        switch state {
        case .closed: return .take(.max)
        case .halfOpen(var trials):
            guard let row else { return .take(1) }
            if let last = trials[row] {
                let next = last.addingTimeInterval(StoreBreaker.trialLimit)
                // A wall clock that is set back must not make the wait longer.
                // Dates are no finer than a millisecond.
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

    /// The one who probed reports. The waits are 1, 2, 4, 8, 15, 15 … s from one probe to the next.
    /// - Parameters:
    ///   - fault: nil if the store took every plain row.
    ///   - tried: those that were tried: others may have been refused meanwhile.
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

    /// The one who was to probe does not.
    mutating func abandonProbe() {
        guard case .open(var opening) = state else { return }
        opening.isProbed = false
        state = .open(opening)
    }
}
