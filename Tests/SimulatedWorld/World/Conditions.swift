import Foundation
import Pipeline
import Synchronization

/// What all parts of a run share: time, chance, and which faults strike at present.
final class Conditions: Sendable {
    private struct Outage: Hashable {
        var fault: Fault
        var service: String?
    }

    private struct State {
        var tally = Tally<Int>()
        var isCalm = false
        var ends: [Outage: VirtualTime] = [:]
    }

    let plan: Plan
    let dice: Dice
    let scheduler: Scheduler
    let trace: Trace
    private let state = Mutex(State())

    init(plan: Plan, dice: Dice, tracing: Bool) {
        self.plan = plan
        self.dice = dice
        scheduler = Scheduler(order: plan.order, dice: dice)
        trace = Trace(isWanted: tracing, scheduler: scheduler)
    }

    var tally: Tally<Int> { state.withLock { $0.tally } }

    /// Whether all faults have ended.
    var isCalm: Bool { state.withLock { $0.isCalm } }

    /// Ends all faults, for good.
    func calm() {
        state.withLock { state in
            state.isCalm = true
            state.ends = [:]
        }
        scheduler.spareAll()
    }

    // MARK: Faults of single operations

    /// Whether this fault strikes here, as often as the plan says; then it is counted.
    func strikes(_ fault: Fault, _ whom: String) -> Bool {
        let rate = plan.rates[fault]
        guard rate > 0, !isCalm, dice.happens(rate) else { return false }
        note(fault, whom)
        return true
    }

    func note(_ fault: Fault, _ whom: String) {
        state.withLock { $0.tally[fault] += 1 }
        trace.say(whom, "✗ \(fault)")
    }

    // MARK: Outages

    func begin(_ fault: Fault, of service: String? = nil, for span: VirtualTime) {
        note(fault, service ?? "")
        let end = scheduler.now + span
        state.withLock { $0.ends[Outage(fault: fault, service: service)] = end }
    }

    func lasts(_ fault: Fault, of service: String? = nil) -> Bool {
        let now = scheduler.now
        return state.withLock { state in
            guard !state.ends.isEmpty, let end = state.ends[Outage(fault: fault, service: service)] else {
                return false
            }
            return now < end
        }
    }
}
