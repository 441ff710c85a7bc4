import Model
import Pipeline

/// Who works on a queue, and why it does not move if it does not.
package struct QueueState: Sendable {
    /// How many workers are alive. nil if that is not known.
    package let workers: Int?
    /// Why the queue does not move. nil while it moves, has nothing to do, or nobody knows.
    package let why: String?
    /// Why waiting messages are not taken faster: the rate limit. nil if there is none.
    package let slowness: String?
    /// How many workers obey what is set now. nil if that is not known, or nothing was ever set.
    package let obeying: Int?
    /// The state for people: `working`, or why not.
    package let text: String

    /// - Parameters:
    ///   - workers: the workers of this queue. nil if they could not be read.
    ///   - absence: why they could not be read: the store is away.
    ///   - blockade: why the broker takes no messages, so that no job can be settled.
    ///   - refusal: why the store takes no rows from them.
    ///   - control: what operators have set.
    package init(
        _ depth: QueueDepth, workers: [RegisteredWorker]?, absence: PortFault? = nil, blockade: String? = nil,
        refusal: PortFault? = nil, control: ServiceControl? = nil
    ) {
        let isWaited = depth.waiting > 0
        let isConsumed = depth.consumers ?? 0 > 0
        self.workers = workers?.count
        let control = control ?? ServiceControl(service: "")
        obeying = control.revision > 0 ? workers?.count { $0.revision ?? 0 >= control.revision } : nil
        slowness = isWaited && !control.isPaused ? control.limitText : nil
        if let pause = control.pauseText {
            why = isWaited ? pause : nil
            text = [pause, QueueState.obedience(obeying, of: workers)].compactMap { $0 }.joined(separator: "; ")
            return
        }
        if isWaited, refusal != nil {
            (why, text) = ("the store takes no rows", "the store takes no rows")
            return
        }
        if isWaited, let blockade {
            (why, text) = ("the broker takes no messages: \(blockade)", "the broker takes no messages")
            return
        }
        guard let workers else {
            why = isWaited ? absence.map { "the database cannot be reached: \($0)" } : nil
            text = why == nil ? "?" : "the database cannot be reached"
            return
        }
        let limits = QueueState.limits(control, obeying, of: workers)
        let held = workers.filter { !$0.condition.takes }
        let reasons = QueueState.reasons(held)
        if workers.isEmpty {
            why = isWaited && !isConsumed ? "no worker" : nil
            let condition = why ?? (isConsumed ? "taken by another program" : limits.isEmpty ? "-" : "idle")
            text = QueueState.joined([condition] + limits)
        } else if held.count == workers.count {
            (why, text) = (reasons, QueueState.joined([reasons] + limits))
        } else {
            let remarks = QueueState.reasons(workers.filter { $0.condition.takes && $0.condition.reason != nil })
            why = nil
            let condition = isWaited || depth.knownInFlight > 0 ? "working" : "idle"
            text = QueueState.joined([condition, reasons, remarks] + limits)
        }
    }

    private static func joined(_ parts: [String]) -> String { parts.filter { !$0.isEmpty }.joined(separator: "; ") }

    /// The limits that are set, and how many workers obey them.
    private static func limits(
        _ control: ServiceControl, _ obeying: Int?, of workers: [RegisteredWorker]
    ) -> [String] {
        let limits = [control.limitText, control.callsText].compactMap { $0 }
        return limits.isEmpty ? [] : limits + [obedience(obeying, of: workers)].compactMap { $0 }
    }

    /// `7 of 8 obey`. nil if all do, or there are no workers.
    private static func obedience(_ obeying: Int?, of workers: [RegisteredWorker]?) -> String? {
        guard let obeying, let count = workers?.count, obeying < count else { return nil }
        return "\(obeying) of \(count) obey"
    }

    /// Why a service is down, if all its workers say that it is: `down on k3: connection refused`. nil if one does not.
    package static func outage(of workers: [RegisteredWorker]) -> String? {
        workers.allSatisfy { $0.condition.state == .serviceDown } ? reasons(workers) : nil
    }

    /// `down on k3, k4: connection refused; fails on k5: …`.
    private static func reasons(_ workers: [RegisteredWorker]) -> String {
        Dictionary(grouping: workers, by: \.condition).map { condition, workers in
            let hosts = Set(workers.map { $0.host.escapingSteering() }).sorted().joined(separator: ", ")
            return condition.text(on: hosts)
        }
        .sorted().joined(separator: "; ")
    }
}

extension WorkerCondition {
    /// Whether the worker takes jobs.
    fileprivate var takes: Bool {
        switch state {
        case .working, .unknown: true
        case .serviceDown, .storeRefusing, .failed, .stopping: false
        }
    }

    fileprivate func text(on hosts: String) -> String {
        let cause = reason.map { ": " + $0.printable(upTo: 200) } ?? ""
        switch state {
        case .serviceDown: return "down on \(hosts)\(cause)"
        case .storeRefusing: return "the store takes no rows on \(hosts)\(cause)"
        case .failed: return "fails on \(hosts)\(cause)"
        case .stopping: return "stopping on \(hosts)"
        case .working, .unknown: return "on \(hosts)\(cause)"
        }
    }
}
