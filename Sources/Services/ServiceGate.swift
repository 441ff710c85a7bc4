import Foundation
import Pipeline
import Synchronization
import Waiting

/// A service's circuit breaker in use. Callers that take jobs wait here, calls in progress learn here that it opens,
/// and the log reports each outage once.
final class ServiceGate: Sendable {
    private struct State {
        var breaker: CircuitBreaker
        var calls = 0
        var answers = 0
    }

    /// What precedes the cause of an outage in which the service does not answer.
    static let down = "is down: "

    private let endpoint: ServiceEndpoint
    private let client: any HTTPTransport
    private let slots: Slots
    private let time: any Timekeeper
    private let randomness: Randomness
    private let events: EventStream
    private let state: Mutex<State>
    /// Raised when more or fewer jobs pass than before.
    private let changes = ChangeSignal()
    private let openings = ChangeSignal()
    /// Raised when a call is over.
    private let endings = ChangeSignal()

    init(
        endpoint: ServiceEndpoint, client: any HTTPTransport, slots: Slots, time: any Timekeeper,
        randomness: @escaping Randomness, events: EventStream
    ) {
        self.endpoint = endpoint
        self.client = client
        self.slots = slots
        self.time = time
        self.randomness = randomness
        self.events = events
        state = Mutex(State(breaker: CircuitBreaker(concurrency: endpoint.concurrency)))
    }

    private var jitter: Double { 0.5 + 0.5 * randomness() }

    /// Why no job passes. nil while some do.
    var outage: String? { state.withLock { $0.breaker.outage }.map { "\(endpoint.label) \($0)" } }

    /// Like `outage`, but nil for errors that may be due to single pictures.
    var lastingOutage: String? { state.withLock { $0.breaker.lastingOutage }.map { "\(endpoint.label) \($0)" } }

    /// What is wrong, without the name of the service: `connection refused`.
    var trouble: String? {
        state.withLock { $0.breaker.trouble }.map {
            $0.hasPrefix(ServiceGate.down) ? String($0.dropFirst(ServiceGate.down.count)) : $0
        }
    }

    /// Whether all jobs pass.
    var isClosed: Bool { state.withLock { $0.breaker.isClosed } }

    // MARK: Calls

    func begin() -> CircuitBreaker.Call {
        state.withLock { state in
            state.calls += 1
            return state.calls
        }
    }

    /// - Returns: why this call's next try may not be made. nil if it may.
    func refusal(of call: CircuitBreaker.Call) -> String? {
        state.withLock { $0.breaker.refusal(of: call) }.map { "\(endpoint.label) \($0)" }
    }

    @discardableResult
    func report(_ event: CircuitBreaker.Report, of call: CircuitBreaker.Call) -> CircuitBreaker.Effect {
        let now = time.now()
        let effect = state.withLock { state in
            if event == .answered { state.answers += 1 }
            return state.breaker.report(event, of: call, at: now, jitter: jitter)
        }
        switch effect.change {
        case .opened(let reason):
            events.tell(.breakerChanged(BreakerChange(.open, of: endpoint.label, cause: reason)))
            announceOpening()
        case .reopened:
            events.tell(.breakerChanged(BreakerChange(.open, of: endpoint.label, isReopened: true)))
            announceOpening()
        case .closed: events.tell(.breakerChanged(BreakerChange(.closed, of: endpoint.label)))
        case nil: return effect
        }
        changes.raise()
        return effect
    }

    /// Raised before those who wait for a slot are turned away, so that a caller that comes in between sees the change.
    private func announceOpening() {
        openings.raise()
        endings.raise()
        slots.turnAway()
    }

    func end(_ call: CircuitBreaker.Call) {
        if state.withLock({ $0.breaker.end(call) }) { changes.raise() }
    }

    // MARK: Other calls

    /// How many good answers there were.
    var answers: Int { state.withLock { $0.answers } }

    /// Says that a slot was given back.
    func slotIsFree() { endings.raise() }

    /// Waits, at most as long as a call takes, until another call is answered.
    /// - Parameters:
    ///   - answers: the number of good answers before. One more ends the wait.
    ///   - generation: the breaker's generation.
    func othersAreAnswered(past answers: Int, since generation: Int) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    let ending = self.endings.generation
                    if self.openings.generation != generation { return false }
                    if self.answers != answers { return true }
                    guard self.slots.areInUse else { return false }
                    await self.endings.wait(past: ending)
                }
                return false
            }
            group.addTask {
                try? await self.time.sleep(self.endpoint.timeout)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// Counts how often the breaker opened.
    var generation: Int { openings.generation }

    /// - Returns: false if the breaker has opened since that generation, or if the task was cancelled meanwhile.
    func sleep(_ duration: Duration, since generation: Int) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await self.time.sleep(duration)) != nil }
            group.addTask {
                await self.openings.wait(past: generation)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    // MARK: Taking and probing

    /// Waits until jobs pass, and returns how many. While the breaker is open, one of the callers that wait probes for
    /// all.
    /// - Throws: `CancellationError`.
    func permits() async throws -> Int {
        while true {
            try Task.checkCancellation()
            let generation = changes.generation
            let now = time.now()
            switch state.withLock({ $0.breaker.step(at: now) }) {
            case .take(let count): return count
            case .pause(let date): try await time.sleep(.seconds(date.timeIntervalSince(now)))
            case .probe(let date): try await probe(at: date)
            case .wait: await changes.wait(past: generation)
            }
        }
    }

    private func probe(at date: Date) async throws {
        // Whatever the answer, the callers that wait look again, so that one of them probes if this one has gone.
        defer { changes.raise() }
        do {
            let wait = date.timeIntervalSince(time.now())
            if wait > 0 { try await time.sleep(.seconds(wait)) }
            let began = time.now()
            let health = await client.health(of: endpoint)
            try Task.checkCancellation()
            let isUp = if case .success(let status) = health { status < 500 } else { false }
            let (now, jitter) = (time.now(), jitter)
            let condition = state.withLock { state in
                state.breaker.probed(isUp: isUp, began: began, at: now, jitter: jitter)
                return state.breaker.condition
            }
            events.tell(.probed(isUp: isUp))
            if condition == .halfOpen { events.tell(.breakerChanged(BreakerChange(.halfOpen, of: endpoint.label))) }
        } catch {
            state.withLock { $0.breaker.abandonProbe() }
            throw error
        }
    }
}
