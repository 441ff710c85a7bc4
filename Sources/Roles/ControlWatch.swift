import Foundation
import Logging
import Model
import Pipeline
import Synchronization
import Waiting

/// Reads what operators have set every two seconds, once for all roles of a process and all services that it calls. If the store
/// is away, what was read last holds.
public final class ControlWatch: Sendable {
    /// Short enough that everybody obeys within five seconds.
    private static let interval = Duration.seconds(2)

    private let records: any ControlRecords
    private let time: any Timekeeper
    private let log: Logger
    private let events: @Sendable (String) -> EventStream
    private let gates = Mutex<[String: ControlGate]>([:])
    private let sheet = Mutex<ControlSheet?>(nil)

    /// - Parameter events: the event stream of a service or role, which is told what is set for it.
    package init(
        _ records: any ControlRecords, time: any Timekeeper, log: Logger,
        events: @escaping @Sendable (String) -> EventStream = { _ in .unheard }
    ) {
        self.records = records
        self.time = time
        self.log = log
        self.events = events
    }

    /// The gate of a service or role. There is one in a process.
    package func gate(for service: String) -> ControlGate {
        let (gate, isNew) = gates.withLock { gates in
            if let gate = gates[service] { return (gate, false) }
            let gate = ControlGate(service) { [records] in
                try await records.leaseTokens($0, returning: $1, of: service)
            }
            gates[service] = gate
            return (gate, true)
        }
        guard isNew else { return gate }
        let events = events(service)
        gate.observe { events.tell(.controlChanged($0)) }
        if let sheet = sheet.withLock({ $0 }) { gate.adopt(sheet[service]) }
        return gate
    }

    /// Reads what is set, again and again, until its task is cancelled.
    public func run() async {
        var isFailing = false
        while !Task.isCancelled {
            do {
                try await read()
                if isFailing { log.notice("what operators have set is read again") }
                isFailing = false
            } catch let fault as PortFault {
                isFailing = tell(fault, isNew: !isFailing)
            } catch {
                // Only a task that is cancelled throws anything else, and then the sleep ends it.
            }
            do { try await time.sleep(ControlWatch.interval) } catch { return }
        }
    }

    /// Reads what is set once.
    package func read() async throws {
        adopt(try await records.control())
    }

    private func adopt(_ new: ControlSheet) {
        let old = sheet.withLock { sheet in
            defer { sheet = new }
            return sheet
        }
        for gate in gates.withLock({ $0.values.sorted { $0.service < $1.service } }) {
            let control = new[gate.service]
            tell(old?[gate.service] ?? ServiceControl(service: gate.service), control)
            gate.adopt(control)
        }
    }

    /// A process that may not read what is set works as if nothing were.
    private func tell(_ fault: PortFault, isNew: Bool) -> Bool {
        if fault.kind != .transient, sheet.withLock({ $0 }) == nil {
            log.warning("what operators have set cannot be read, so nothing of it is obeyed: \(fault)")
            adopt(ControlSheet(now: time.now()))
        } else if isNew {
            // What keeps the store from taking rows is told by its breaker, and louder.
            log.info("what operators have set cannot be read, so the last is obeyed: \(fault)")
        }
        return true
    }

    private func tell(_ old: ServiceControl, _ new: ServiceControl) {
        guard old != new else { return }
        if new.isPaused, !old.isPaused || new.setAt != old.setAt {
            let end = new.until.map { " until \(Timestamp.iso8601($0))" } ?? ""
            let reason = new.reason.map { ": \($0)" } ?? ""
            log.notice("\(new.service) is paused by \(new.setBy)\(end)\(reason)")
        } else if old.isPaused, !new.isPaused {
            log.notice("\(new.service) is paused no longer")
        }
        if old.rateLimit != new.rateLimit {
            let limit = new.rateLimit.map {
                "is limited to \(String(format: "%.4g", $0)) jobs per second, on all machines together"
            }
            log.notice("\(new.service) \(limit ?? "has no rate limit any more")")
        }
        if old.concurrency != new.concurrency {
            let limit =
                new.concurrency.map { "at most \($0) \($0 == 1 ? "call" : "calls")" }
                ?? "as many calls as are configured"
            log.notice("\(new.service): \(limit) in flight for each worker")
        }
    }
}
