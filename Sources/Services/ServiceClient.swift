import Foundation
import Logging
import Model
import Pictures
import Pipeline
import Synchronization
import Waiting

/// One ML service over HTTP, with its calls, their retries, its limit of calls in flight and its circuit breaker.
public final class ServiceClient: AnalysisService {
    /// How often a job is sent that fails by the service's answers, if nothing shows that the service works.
    private static let askedWithoutEvidence = 2

    /// The call of one job.
    private struct Call {
        let id: CircuitBreaker.Call
        let key: UUID
        let began: Date
        /// Since when the job is held. It may have waited for its picture first.
        let heldSince: Date
        /// All tries that count, including those of earlier calls.
        var past: RetryLedger.Entry
        /// The tries that timed out in this call. They count only if the breaker stays closed.
        var timeouts = 0
        /// Why the last try of this call failed.
        var lastFailure: FailureKind?
        /// The number of good answers before its last request was sent.
        var answers = 0
    }

    /// Where the service is and how it is called.
    public let endpoint: ServiceEndpoint
    private let client: any HTTPTransport
    private let policy: ImagePolicy
    private let time: any Timekeeper
    private let randomness: Randomness
    private let log: Logger
    let events: EventStream
    private let tracer: Tracer
    let slots: Slots
    private let gate: ServiceGate
    let control: ControlGate
    private let objection: @Sendable () async -> String?
    private let book = Mutex(RetryLedger())

    /// The name of the service.
    public var name: String { endpoint.name }

    /// A client of one service. It does nothing until it is asked.
    /// - Parameters:
    ///   - policy: which images may be given to the service.
    ///   - control: what operators have set for it.
    ///   - events: receives its calls. Its outages go to the log as well.
    ///   - objection: asked before every try. Returns why none may be made, whatever the service's state; nil if it
    ///     may.
    public init(
        endpoint: ServiceEndpoint, client: any HTTPTransport, policy: ImagePolicy = ImagePolicy(),
        time: any Timekeeper, randomness: @escaping Randomness = systemRandomness, log: Logger,
        control: ControlGate = .free(), events: EventStream = .unheard, tracer: Tracer = .off,
        objection: @escaping @Sendable () async -> String? = { nil }
    ) {
        self.endpoint = endpoint
        self.client = client
        self.policy = policy
        self.time = time
        self.randomness = randomness
        self.log = log
        self.objection = objection
        slots = Slots(max(endpoint.concurrency, 1))
        self.events = events
        self.tracer = tracer
        gate = ServiceGate(
            endpoint: endpoint, client: client, slots: slots, time: time, randomness: randomness,
            events: events.adding(EventLog(log)))
        self.control = control
        control.observe { [weak self] in self?.obey($0) }
    }

    /// Whether the circuit breaker is closed, and the service not paused.
    public var takesFreely: Bool { gate.isClosed && !control.isPaused }

    /// Waits until the service is not paused and the circuit breaker lets jobs pass. While the breaker is open, one of
    /// the callers that wait probes `health` for all.
    /// - Returns: how many jobs may be taken now: 1 while half-open, otherwise any number.
    /// - Throws: `CancellationError`.
    public func permits() async throws -> Int {
        try await control.pass()
        return try await gate.permits()
    }

    /// Why no job passes at this moment. nil while some do.
    public func outage() async -> String? { gate.outage ?? pause }

    /// Like `outage`, but nil for errors that may be due to single pictures.
    public var lastingOutage: String? { gate.lastingOutage }

    /// What is wrong with the service, without its name: `connection refused`. nil if nothing is.
    public var trouble: String? { gate.trouble }

    // MARK: Analysis

    /// Calls the service until it answers, fails for good, or turns out to be down. Returns `unavailable` if it is
    /// down, if the task is cancelled, or if the job was held for too long. Returns `undecided` if the call failed and
    /// nothing shows that the service works.
    public func analyze(_ subject: AnalysisSubject, key: UUID, heldSince: Date?) async -> AnalysisOutcome {
        let began = time.now()
        var call = Call(
            id: gate.begin(), key: key, began: began, heldSince: heldSince ?? began, past: book.withLock { $0[key] })
        defer { gate.end(call.id) }
        // Others were answered since it failed, so the job itself is at fault.
        if let failure = call.past.failure, gate.answers != call.past.answers { return failed(failure, call) }
        var request: HTTPRequest
        do { request = try endpoint.request(subject, policy) } catch {
            return failed(CallFault(kind: error.kind, message: error.message, httpStatus: nil, isFinal: true), call)
        }
        while true {
            let generation = gate.generation
            if let reason = await refusal(of: call, since: generation) { return back(call, reason) }
            if let kind = call.lastFailure { events.tell(.retried(kind)) }
            call.answers = gate.answers
            let sent = time.now()
            let trace = tracer.child(of: Tracer.current)
            request.trace = trace ?? Tracer.current
            let result = await perform(request)
            // This is judged first, so that those who wait for the slot, or for the outcome of this call, see it.
            let verdict = judge(result, of: call)
            let attempt = Attempt(request: request, began: sent, ended: time.now(), result: result, verdict: verdict)
            events.tell(.called(attempt.call))
            if let trace { tracer.record(attempt.span(trace, of: endpoint)) }
            freeSlot()
            switch verdict {
            case .answered(let answer):
                book.withLock { $0[key] = RetryLedger.Entry() }
                return .answered(answer)
            case .failed(let fault):
                if fault.kind != .image { count(&call) }
                return await end(fault, call, since: generation)
            case .back(let reason, let fault):
                guard let fault else { return back(call, reason) }
                count(&call)
                return call.past.tries < endpoint.maxTries ? back(call, reason) : failed(fault, call)
            case .again(let fault, let retryAfter):
                count(&call)
                guard call.past.tries < endpoint.maxTries else { return await end(fault, call, since: generation) }
                if fault.kind == .timeout { call.timeouts += 1 }
                let wait = wait(afterTry: call.past.tries, retryAfter)
                guard wait + endpoint.timeout <= left(call) else {
                    call.timeouts = 0
                    return back(call, "\(fault.message); the job was held for long enough")
                }
                log.debug(
                    "try \(call.past.tries) of \(endpoint.maxTries): \(fault.message)",
                    metadata: ["job": "\(key.text)"])
                guard await gate.sleep(wait, since: generation) else { return back(call, interruption) }
                call.lastFailure = fault.kind
            }
        }
    }

    private func count(_ call: inout Call) {
        call.past.tries += 1
        if call.past.firstFailure == nil { call.past.firstFailure = time.now() }
    }

    private func failed(_ fault: CallFault, _ call: Call) -> AnalysisOutcome { failed(failure(fault, call), call) }

    private func failed(_ failure: AnalysisFailure, _ call: Call) -> AnalysisOutcome {
        book.withLock { $0[call.key] = RetryLedger.Entry() }
        return .failed(failure)
    }

    private func failure(_ fault: CallFault, _ call: Call) -> AnalysisFailure {
        AnalysisFailure(
            kind: fault.kind, message: fault.message, httpStatus: fault.httpStatus, tries: call.past.tries,
            firstFailure: call.past.firstFailure ?? time.now(),
            seconds: max(0, time.now().timeIntervalSince(call.began)))
    }

    /// No tries are left. The answers to other jobs show whether the job or the service is at fault. Until then it is
    /// undecided, and after five such jobs in a row the breaker opens.
    private func end(_ fault: CallFault, _ call: Call, since generation: Int) async -> AnalysisOutcome {
        guard let reason = fault.reasonOfService(labelled: endpoint.label) else { return failed(fault, call) }
        var call = call
        let effect = gate.report(.failed(job: call.key, reason), of: call.id)
        if case .opened? = effect.change { book.withLock { $0.forgetErrors() } }
        if effect.givesBack && !effect.countsTry { return .unavailable("\(endpoint.label) \(reason)") }
        // A failure that may pass was tried as often as it should be.
        guard fault.isFinal || effect.countsTry else { return failed(fault, call) }
        let failure = failure(fault, call)
        if call.past.errors == 0 { call.past.answers = call.answers }
        call.past.errors += 1
        call.past.failure = failure
        let limit = max(ServiceClient.askedWithoutEvidence, effect.countsTry ? endpoint.maxTries : 0)
        if call.past.errors >= limit { return failed(failure, call) }
        if !effect.countsTry {
            let isAnswered = await gate.othersAreAnswered(past: call.past.answers, since: generation)
            if isAnswered { return failed(failure, call) }
            guard gate.generation == generation else { return .unavailable(interruption) }
        }
        book.withLock { [past = call.past] in $0[call.key] = past }
        return .undecided(failure)
    }

    /// Sends the job back. Its tries are kept, so that a job that makes its service crash ends at some time.
    private func back(_ call: Call, _ reason: String) -> AnalysisOutcome {
        var past = call.past
        past.tries -= call.timeouts
        assert(past.tries >= 0, "a time-out is a try that was counted")
        guard past.tries > 0 else { return .unavailable(reason) }
        book.withLock { book in
            // They were forgotten while it was on its way.
            if book[call.key].errors == 0 { (past.errors, past.failure) = (0, nil) }
            book[call.key] = past
        }
        return .unavailable(reason)
    }

    private func freeSlot() {
        slots.giveBack(at: time.now())
        gate.slotIsFree()
    }

    private func perform(_ request: HTTPRequest) async -> Result<HTTPResponse, HTTPFault> {
        do { return .success(try await client.perform(request)) } catch { return .failure(error) }
    }

    // MARK: Judging a try

    private func judge(_ result: Result<HTTPResponse, HTTPFault>, of call: Call) -> CallVerdict {
        switch result {
        case .success(let response):
            switch response.answer(from: endpoint.label) {
            case .success(let answer):
                if gate.report(.answered, of: call.id).change == .closed { book.withLock { $0.forgetErrors() } }
                return .answered(answer)
            case .failure(let fault) where fault.isFinal:
                gate.report(.faulty, of: call.id)
                return .failed(fault)
            case .failure(let fault):
                if let pause = response.retryAfter, pause > ServiceLimits.longestWait { return paused(pause, call) }
                gate.report(.faulty, of: call.id)
                return .again(fault, retryAfter: response.retryAfter)
            }
        case .failure(let fault):
            return judge(fault, of: call)
        }
    }

    private func judge(_ fault: HTTPFault, of call: Call) -> CallVerdict {
        let callFault = fault.callFault(from: endpoint.label)
        switch fault.kind {
        case .cancelled, .unreadableFile: break
        case .unreachable, .malformed:
            let reason = ServiceGate.down + fault.cause
            gate.report(.refused(reason), of: call.id)
            return .back("\(endpoint.label) \(reason)", counting: nil)
        case .timeout:
            let reason = ServiceGate.down + fault.cause
            let effect = gate.report(.timedOut(reason), of: call.id)
            guard effect.givesBack else { return .again(callFault, retryAfter: nil) }
            return .back("\(endpoint.label) \(reason)", counting: effect.countsTry ? callFault : nil)
        case .tooLarge: gate.report(.faulty, of: call.id)
        case .broken, .encoding, .other, .denied: gate.report(.broken, of: call.id)
        }
        if fault.kind == .cancelled { return .back(callFault.message, counting: nil) }
        return callFault.isFinal ? .failed(callFault) : .again(callFault, retryAfter: nil)
    }

    private func paused(_ asked: Duration, _ call: Call) -> CallVerdict {
        let pause = min(asked, ServiceLimits.longestPause)
        let reason = "asks for a pause of \(Wording.seconds(pause))"
        gate.report(.asksForPause(until: time.now().addingTimeInterval(pause.seconds), reason), of: call.id)
        return .back("\(endpoint.label) \(reason)", counting: nil)
    }

    // MARK: Waiting

    /// Exponential back-off with jitter. After a Retry-After, it waits for that time and at most a tenth longer.
    private func wait(afterTry number: Int, _ retryAfter: Duration?) -> Duration {
        if let retryAfter { return min(retryAfter * (1 + 0.1 * randomness()), ServiceLimits.longestWait) }
        let full = endpoint.retryDelay * (1 << min(max(number - 1, 0), 20))
        return min(full, ServiceLimits.longestWait) * (0.5 + 0.5 * randomness())
    }

    /// How much longer the job may be held.
    private func left(_ call: Call) -> Duration {
        ServiceLimits.holding - .seconds(max(0, time.now().timeIntervalSince(call.heldSince)))
    }

    /// Waits for a slot. Slots are given back within one time-out, so there is time for a try after the wait.
    /// - Returns: why the try may not be made. nil if it may; then it holds a slot.
    private func refusal(of call: Call, since generation: Int) async -> String? {
        if let reason = gate.refusal(of: call.id) ?? pause { return reason }
        if !slots.takeFree() {
            let limit = left(call) - endpoint.timeout
            guard
                await slots.take(
                    at: time.now(), within: limit, unless: { gate.generation != generation || control.isPaused })
            else {
                return interruption
            }
        }
        var reason = gate.refusal(of: call.id) ?? pause
        if reason == nil { reason = await objection() }
        if reason != nil { freeSlot() }
        return reason
    }

    private var interruption: String {
        if Task.isCancelled { return "cancelled" }
        return gate.outage ?? pause ?? "\(endpoint.label) is too busy for the jobs that were taken"
    }
}
