import Foundation
import Logging
import Model
import Synchronization
import Waiting

/// The store's circuit breaker, one for all roles of a process. While the store would refuse any row, callers that take
/// jobs wait here, and callers that are about to call a service ask here. The log reports each outage once.
public final class StoreGate: Sendable {
    /// Asks the store whether it would take a row like this. See `ResultStore.probe`.
    public typealias Probe = @Sendable (PlainRow, ImageID?) async throws -> Void

    private struct State {
        var breaker = StoreBreaker()
        /// What the log was told about the present outage.
        var told: String?
    }

    /// How long to wait for a passing fault of the store before the breaker opens.
    static let patience = Duration.seconds(5)

    private let probe: Probe
    private let time: any Timekeeper
    private let randomness: Randomness
    private let log: Logger
    private let state = Mutex(State())
    /// Raised when more or fewer callers pass than before.
    private let changes = ChangeSignal()

    package init(
        time: any Timekeeper, randomness: @escaping Randomness = systemRandomness, log: Logger, probe: @escaping Probe
    ) {
        self.time = time
        self.randomness = randomness
        self.log = log
        self.probe = probe
    }

    package convenience init(
        _ store: any ResultStore, time: any Timekeeper, randomness: @escaping Randomness = systemRandomness,
        log: Logger
    ) {
        self.init(time: time, randomness: randomness, log: log) { try await store.probe($0, of: $1) }
    }

    private var jitter: Double { 0.5 + 0.5 * randomness() }

    private var retry: Retry {
        Retry(limit: StoreGate.patience, time: time, randomness: randomness, log: log)
    }

    /// Why nothing is taken. nil while something is.
    public var outage: StoreOutage? { state.withLock { $0.breaker.outage } }

    /// Whether all jobs pass.
    var isClosed: Bool { state.withLock { $0.breaker.isClosed } }

    /// The time since which nothing could be written. It stays set while a store that has come back has yet to prove
    /// it.
    var since: Date? { state.withLock { $0.breaker.since } }

    // MARK: Faults

    /// Opens the breaker: the store does not take this role's rows.
    package func open(_ fault: PortFault, _ row: PlainRow, of image: ImageID? = nil) {
        let (now, jitter) = (time.now(), jitter)
        let isNews = state.withLock { state -> Bool? in
            let refusal = StoreBreaker.Refusal(row: row, image: image)
            guard state.breaker.open(fault, refusal, at: now, jitter: jitter) != nil else { return nil }
            defer { state.told = fault.description }
            return state.told != fault.description
        }
        guard let isNews else { return }
        if isNews {
            log.warning("the store takes no rows, so nothing is done until it does and jobs stay queued: \(fault)")
        }
        changes.raise()
    }

    /// Rows were written.
    func worked() {
        let isOver = state.withLock { state in
            guard state.breaker.worked() != nil else { return false }
            state.told = nil
            return true
        }
        guard isOver else { return }
        log.notice("the store takes rows again")
        changes.raise()
    }

    /// A job that this role took was settled. If it was a trial and wrote nothing, another one may follow.
    func passed(_ row: PlainRow) {
        if state.withLock({ $0.breaker.passed(row) }) { changes.raise() }
    }

    /// Finds out whether the store would refuse any row like this. If so, the store is at fault; if not, the value that
    /// it refused. Calls of services wait for the answer.
    /// - Throws: `CancellationError`.
    func refuses(_ row: PlainRow, of image: ImageID?) async throws -> Bool {
        state.withLock { $0.breaker.suspect() }
        defer {
            state.withLock { $0.breaker.judged() }
            changes.raise()
        }
        do {
            try await retry.run("trying whether the store takes rows") { try await probe(row, image) }
        } catch let fault as PortFault {
            open(fault, row, of: image)
            return true
        }
        return false
    }

    /// Waits while nobody knows whether the store is at fault.
    /// - Returns: why no service may be called now. nil if one may.
    package func objection() async -> String? {
        while true {
            let generation = changes.generation
            let (outage, isSuspected) = state.withLock { ($0.breaker.outage, $0.breaker.isSuspected) }
            if let outage { return "the store takes no rows: \(outage.fault)" }
            guard isSuspected else { return nil }
            await changes.wait(past: generation)
            if Task.isCancelled { return "cancelled" }
        }
    }

    // MARK: Taking and probing

    /// Returns when the store would take this role's rows. A process that has just started does not know that yet.
    /// - Throws: `CancellationError`.
    func prove(_ row: PlainRow) async throws {
        while true {
            try await wait()
            guard try await refuses(row, of: nil) else { return }
        }
    }

    /// Waits until something passes.
    /// - Throws: `CancellationError`.
    package func wait() async throws { _ = try await pass(nil) }

    /// Asks the store a question outside the stage, as soon as anything passes. If the store refuses, it waits and asks
    /// again.
    /// - Throws: `CancellationError`.
    package func asking<Value: Sendable>(_ row: PlainRow, _ question: () async throws -> Value) async throws -> Value {
        while true {
            try await wait()
            do { return try await retry.run("asking the store", question) } catch let fault as PortFault {
                open(fault, row)
            }
        }
    }

    /// Waits until this role may take jobs, and returns how many.
    /// - Throws: `CancellationError`.
    func permits(_ row: PlainRow) async throws -> Int { try await pass(row) }

    /// While the breaker is open, one of the callers that wait probes for all.
    private func pass(_ row: PlainRow?) async throws -> Int {
        while true {
            try Task.checkCancellation()
            let generation = changes.generation
            let now = time.now()
            switch state.withLock({ $0.breaker.step(row, at: now) }) {
            case .take(let count): return count
            case .probe(let date, let refusals): try await probe(refusals, at: date)
            case .wait(nil): await changes.wait(past: generation)
            case .wait(let date?): await change(past: generation, within: .seconds(date.timeIntervalSince(now)))
            }
        }
    }

    private func change(past generation: Int, within limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.changes.wait(past: generation) }
            group.addTask { try? await self.time.sleep(limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func probe(_ refusals: [StoreBreaker.Refusal], at date: Date) async throws {
        // Whatever the answer, the callers that wait look again, so that one of them probes if this one has gone.
        defer { changes.raise() }
        do {
            let wait = date.timeIntervalSince(time.now())
            if wait > 0 { try await time.sleep(.seconds(wait)) }
            var fault: PortFault?
            do { for refusal in refusals { try await probe(refusal.row, refusal.image) } } catch let refused
                as PortFault
            {
                fault = refused
            }
            try Task.checkCancellation()
            let (now, jitter) = (time.now(), jitter)
            state.withLock { $0.breaker.probed(fault, tried: refusals, at: now, jitter: jitter) }
        } catch {
            state.withLock { $0.breaker.abandonProbe() }
            throw error
        }
    }
}
