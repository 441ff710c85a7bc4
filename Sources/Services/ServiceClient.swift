import Foundation
import Logging
import Model
import Pipeline
import Synchronization

/// One ML service over HTTP: its calls, their tries, its limit of calls in flight and its circuit breaker.
public final class ServiceClient: AnalysisService {
    /// What a try comes to.
    private enum Verdict {
        case answered(Answer)
        case failed(CallFault)
        case again(CallFault, retryAfter: Duration?)
        /// Back to the queue; with a fault that counts nevertheless.
        case back(String, counting: CallFault?)
    }

    /// One job's call.
    private struct Call {
        let id: CircuitBreaker.Call
        let key: UUID
        let began: Date
        /// Since when the job is held: it may have waited for its picture first.
        let heldSince: Date
        /// All tries that count, earlier calls' included.
        var past: TryBook.Entry
        /// Those of them that timed out in this call: they count only if the breaker stays closed.
        var timeouts = 0
    }

    /// Where it is and how it is called.
    public let endpoint: ServiceEndpoint
    private let client: any HTTPTransport
    private let policy: ImagePolicy
    private let time: any Timekeeper
    private let randomness: Randomness
    private let log: Logger
    let slots: Slots
    private let gate: ServiceGate
    private let objection: @Sendable () async -> String?
    private let book = Mutex(TryBook())

    /// The service's name.
    public var name: String { endpoint.name }

    /// A client of one service; it does nothing until it is asked.
    /// - Parameters:
    ///   - policy: what images the service is given.
    ///   - objection: asked before every try: why none may go out, whatever the service's state; nil if it may.
    public init(
        endpoint: ServiceEndpoint, client: any HTTPTransport, policy: ImagePolicy = ImagePolicy(),
        time: any Timekeeper, randomness: @escaping Randomness = systemRandomness, log: Logger,
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
        gate = ServiceGate(
            endpoint: endpoint, client: client, slots: slots, time: time, randomness: randomness, log: log)
    }

    /// Whether the circuit breaker is closed.
    public var takesFreely: Bool { gate.isClosed }

    /// Waits until the circuit breaker lets jobs pass. While it is open, one of those who wait probes `health` for all.
    /// - Returns: how many jobs may be taken now: 1 while half-open, else any number.
    /// - Throws: `CancellationError`.
    public func permits() async throws -> Int { try await gate.permits() }

    /// Why no job passes at this moment; nil while some do.
    public func outage() async -> String? { gate.outage }

    // MARK: Analysis

    /// Calls the service until it answers, fails for good, or turns out to be down; then, and when the task is
    /// cancelled or the job was held for long, it is `unavailable`.
    public func analyze(_ subject: Subject, key: UUID, heldSince: Date?) async -> AnalysisOutcome {
        let began = time.now()
        var call = Call(
            id: gate.begin(), key: key, began: began, heldSince: heldSince ?? began, past: book.withLock { $0[key] })
        defer { gate.end(call.id) }
        let request: HTTPRequest
        do { request = try endpoint.request(subject, policy) } catch {
            return failed(CallFault(kind: error.kind, message: error.message, httpStatus: nil, isFinal: true), call)
        }
        while true {
            let generation = gate.generation
            if let reason = await refusal(of: call, since: generation) { return back(call, reason) }
            let result = await perform(request)
            slots.giveBack(at: time.now())
            switch judge(result, of: call) {
            case .answered(let answer):
                book.withLock { $0[key] = TryBook.Entry() }
                return .answered(answer)
            case .failed(let fault):
                if fault.kind != .image { count(&call) }
                return failed(fault, call)
            case .back(let reason, let fault):
                guard let fault else { return back(call, reason) }
                count(&call)
                return call.past.tries < endpoint.maxTries ? back(call, reason) : failed(fault, call)
            case .again(let fault, let retryAfter):
                count(&call)
                guard call.past.tries < endpoint.maxTries else { return failed(fault, call) }
                if fault.kind == .timeout { call.timeouts += 1 }
                let wait = wait(afterTry: call.past.tries, retryAfter)
                guard wait + endpoint.timeout <= left(call) else {
                    call.timeouts = 0
                    return back(call, "\(fault.message); the job was held for long enough")
                }
                log.debug("try \(call.past.tries) of \(endpoint.maxTries): \(fault.message)")
                guard await gate.sleep(wait, since: generation) else { return back(call, interruption) }
            }
        }
    }

    private func count(_ call: inout Call) {
        call.past.tries += 1
        if call.past.firstFailure == nil { call.past.firstFailure = time.now() }
    }

    private func failed(_ fault: CallFault, _ call: Call) -> AnalysisOutcome {
        book.withLock { $0[call.key] = TryBook.Entry() }
        return .failed(
            AnalysisFailure(
                kind: fault.kind, message: fault.message, httpStatus: fault.httpStatus, tries: call.past.tries,
                firstFailure: call.past.firstFailure ?? time.now(),
                seconds: max(0, time.now().timeIntervalSince(call.began))))
    }

    /// The job goes back. Its tries are kept, so that one which makes its service crash comes to an end too.
    private func back(_ call: Call, _ reason: String) -> AnalysisOutcome {
        var past = call.past
        past.tries -= call.timeouts
        if past.tries > 0 { book.withLock { $0[call.key] = past } }
        return .unavailable(reason)
    }

    private func perform(_ request: HTTPRequest) async -> Result<HTTPResponse, HTTPFault> {
        do { return .success(try await client.perform(request)) } catch { return .failure(error) }
    }

    // MARK: Judging a try

    private func judge(_ result: Result<HTTPResponse, HTTPFault>, of call: Call) -> Verdict {
        switch result {
        case .success(let response):
            switch response.answer(from: endpoint.label) {
            case .success(let answer):
                gate.report(.answered, of: call.id)
                return .answered(answer)
            case .failure(let fault) where fault.isFinal:
                gate.report(.answered, of: call.id)
                return .failed(fault)
            case .failure(let fault):
                if let pause = response.retryAfter, pause > ServiceLimits.longestWait { return paused(pause, call) }
                gate.report(.answered, of: call.id)
                return .again(fault, retryAfter: response.retryAfter)
            }
        case .failure(let fault):
            return judge(fault, of: call)
        }
    }

    private func judge(_ fault: HTTPFault, of call: Call) -> Verdict {
        let callFault = fault.callFault(from: endpoint.label)
        switch fault.kind {
        case .cancelled, .unreadableFile: break
        case .unreachable, .malformed:
            let reason = "is down: \(fault.cause)"
            gate.report(.refused(reason), of: call.id)
            return .back("\(endpoint.label) \(reason)", counting: nil)
        case .timeout:
            let reason = "is down: \(fault.cause)"
            let effect = gate.report(.timedOut(reason), of: call.id)
            guard effect.givesBack else { return .again(callFault, retryAfter: nil) }
            return .back("\(endpoint.label) \(reason)", counting: effect.countsTry ? callFault : nil)
        case .tooLarge: gate.report(.answered, of: call.id)
        case .broken, .other, .denied: gate.report(.broken, of: call.id)
        }
        if fault.kind == .cancelled { return .back(callFault.message, counting: nil) }
        return callFault.isFinal ? .failed(callFault) : .again(callFault, retryAfter: nil)
    }

    private func paused(_ asked: Duration, _ call: Call) -> Verdict {
        let pause = min(asked, ServiceLimits.longestPause)
        let reason = "asks for a pause of \(Wording.seconds(pause))"
        gate.report(.asksForPause(until: time.now().addingTimeInterval(pause.seconds), reason), of: call.id)
        return .back("\(endpoint.label) \(reason)", counting: nil)
    }

    // MARK: Waiting

    /// Exponential back-off with jitter; a Retry-After is waited out, and a tenth more at most.
    private func wait(afterTry number: Int, _ retryAfter: Duration?) -> Duration {
        if let retryAfter { return min(retryAfter * (1 + 0.1 * randomness()), ServiceLimits.longestWait) }
        let full = endpoint.retryDelay * (1 << min(max(number - 1, 0), 20))
        return min(full, ServiceLimits.longestWait) * (0.5 + 0.5 * randomness())
    }

    /// How long the job may still be held.
    private func left(_ call: Call) -> Duration {
        ServiceLimits.holding - .seconds(max(0, time.now().timeIntervalSince(call.heldSince)))
    }

    /// Waits for a slot. Those in flight are given back within a time-out, so that there is time for a try when the wait is
    /// over.
    /// - Returns: why the try may not go out; nil if it may, and then it holds a slot.
    private func refusal(of call: Call, since generation: Int) async -> String? {
        if let reason = gate.refusal(of: call.id) { return reason }
        if !slots.takeFree() {
            let limit = left(call) - endpoint.timeout
            guard await slots.take(at: time.now(), within: limit, unless: { gate.generation != generation }) else {
                return interruption
            }
        }
        var reason = gate.refusal(of: call.id)
        if reason == nil { reason = await objection() }
        if reason != nil { slots.giveBack(at: time.now()) }
        return reason
    }

    private var interruption: String {
        if Task.isCancelled { return "cancelled" }
        return gate.outage ?? "\(endpoint.label) is too busy for the jobs that were taken"
    }
}
