import Foundation
import Testing

@testable import Services

@Suite("Circuit breaker")
final class CircuitBreakerTests {
    private var breaker = CircuitBreaker()
    private let start = Date(timeIntervalSince1970: 1_790_000_000)

    private func report(_ event: CircuitBreaker.Report, _ call: Int, after seconds: Double = 0) -> CircuitBreaker.Effect
    {
        breaker.report(event, of: call, at: start.addingTimeInterval(seconds), jitter: 1)
    }

    private func step(at now: Date) -> CircuitBreaker.Step { breaker.step(at: now) }

    private func refusal(of call: Int) -> String? { breaker.refusal(of: call) }

    private func end(_ call: Int) -> Bool { breaker.end(call) }

    private func open() {
        for call in 1...5 { _ = report(.refused("is down"), call) }
    }

    private func halfOpen() {
        open()
        _ = step(at: start)
        breaker.probed(isUp: true, began: start + 1, at: start + 1, jitter: 1)
    }

    @Test("Closed, it lets any number of jobs pass")
    func closed() {
        #expect(step(at: start) == .take(.max))
        #expect(refusal(of: 1) == nil)
        #expect(breaker.outage == nil)
    }

    @Test("Refusals of five jobs in a row open it; four and an answer do not")
    func refusals() {
        for call in 1...4 { #expect(report(.refused("is down"), call).change == nil) }
        #expect(report(.answered, 9) == CircuitBreaker.Effect())
        for call in 1...4 { #expect(report(.refused("is down"), call).change == nil) }
        #expect(report(.refused("is down"), 5).change == .opened("is down"))
        #expect(breaker.outage == "is down")
        #expect(refusal(of: 6) == "is down")
    }

    @Test("A job is counted once however often it times out")
    func jobsNotTries() {
        for _ in 1...3 { for call in 1...4 { #expect(report(.timedOut("hangs"), call) == CircuitBreaker.Effect()) } }
        let effect = report(.timedOut("hangs"), 5)
        #expect(effect == CircuitBreaker.Effect(givesBack: true, countsTry: false, change: .opened("hangs")))
    }

    @Test("A cut connection is neither: it does not break the row")
    func broken() {
        for call in 1...4 { _ = report(.timedOut("hangs"), call) }
        #expect(report(.broken, 7) == CircuitBreaker.Effect())
        #expect(report(.timedOut("hangs"), 5).change == .opened("hangs"))
    }

    @Test("A refusal makes the takers pause, longer each time")
    func pauses() {
        for (call, pause) in [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.8)] {
            #expect(report(.refused("is down"), call).givesBack)
            #expect(step(at: start) == .pause(until: start + pause))
        }
        #expect(step(at: start + 0.8) == .take(.max))
    }

    @Test("Open, one taker probes, after 1, 2, 4, 8, 15, 15 s, and the others wait")
    func probes() {
        open()
        var began = start
        for wait in [1.0, 2, 4, 8, 15, 15] {
            #expect(step(at: began) == .probe(at: began + wait))
            #expect(step(at: began) == .wait)
            began += wait
            breaker.probed(isUp: false, began: began, at: began + 0.5, jitter: 1)
        }
    }

    @Test("Another takes over the probe of one who leaves")
    func abandoned() {
        open()
        #expect(step(at: start) == .probe(at: start + 1))
        breaker.abandonProbe()
        #expect(step(at: start) == .probe(at: start + 1))
    }

    @Test("Half-open, one job passes; its answer lets all pass")
    func trialSucceeds() {
        halfOpen()
        #expect(breaker.outage == nil)
        #expect(step(at: start) == .take(1))
        #expect(refusal(of: 10) == nil)
        #expect(refusal(of: 10) == nil)
        #expect(refusal(of: 11) != nil)
        #expect(step(at: start) == .wait)
        #expect(report(.answered, 10) == CircuitBreaker.Effect(change: .closed))
        #expect(step(at: start) == .take(.max))
    }

    @Test("The one job's time-out opens it again and counts; its refusal does not count")
    func trialFails() {
        for (event, counts) in [(CircuitBreaker.Report.timedOut("hangs"), true), (.refused("is down"), false)] {
            breaker = CircuitBreaker()
            halfOpen()
            _ = refusal(of: 10)
            let effect = report(event, 10, after: 2)
            #expect(effect == CircuitBreaker.Effect(givesBack: true, countsTry: counts, change: .reopened))
            #expect(step(at: start + 2) == .probe(at: start + 4), "the second probe waits longer than the first")
        }
    }

    @Test("Time-outs of as many jobs as are in flight open it, so that the first of them are not burnt meanwhile")
    func hangingWithFewInFlight() {
        breaker = CircuitBreaker(concurrency: 3)
        for call in 1...2 { #expect(report(.timedOut("hangs"), call).change == nil) }
        #expect(report(.timedOut("hangs"), 1).change == nil, "another try of the same job is no other job")
        #expect(report(.timedOut("hangs"), 3).change == .opened("hangs"))
        breaker = CircuitBreaker(concurrency: 1)
        #expect(report(.timedOut("hangs"), 1).change == nil, "one job that hangs is no outage")
        breaker = CircuitBreaker(concurrency: 3)
        for call in 1...4 { #expect(report(.refused("refused"), call).change == nil, "a refusal burns nothing") }
        #expect(report(.refused("refused"), 5).change == .opened("refused"))
    }

    @Test("A trial that ends without a word makes way for another")
    func trialEnds() {
        halfOpen()
        _ = refusal(of: 10)
        #expect(!end(11))
        #expect(end(10))
        #expect(step(at: start) == .take(1))
        #expect(refusal(of: 11) == nil)
    }

    @Test("Late news of calls that are not the trial change nothing")
    func late() {
        halfOpen()
        _ = refusal(of: 10)
        #expect(report(.timedOut("hangs"), 3) == CircuitBreaker.Effect(givesBack: true))
        #expect(report(.answered, 4) == CircuitBreaker.Effect())
        #expect(step(at: start) == .wait)
    }

    @Test("A pause that the service asks for is kept, and the longest counts")
    func pause() {
        let effect = report(.asksForPause(until: start + 100, "asks"), 1)
        #expect(effect == CircuitBreaker.Effect(givesBack: true, change: .opened("asks")))
        _ = report(.asksForPause(until: start + 3600, "asks for more"), 2)
        _ = report(.asksForPause(until: start + 50, "asks for less"), 3)
        #expect(breaker.outage == "asks for more")
        #expect(step(at: start) == .probe(at: start + 3600))
        breaker.probed(isUp: true, began: start + 100, at: start + 100, jitter: 1)
        #expect(breaker.outage == "asks for more")
        breaker.probed(isUp: true, began: start + 3600, at: start + 3600, jitter: 1)
        #expect(breaker.outage == nil)
    }

    @Test("A clock that is set back by an hour makes no wait longer")
    func clockSetBack() {
        let earlier = start - 3600
        _ = report(.refused("is down"), 1)
        #expect(step(at: earlier) == .pause(until: earlier + 0.1))
        #expect(step(at: earlier + 0.1) == .take(.max))
        open()
        #expect(step(at: earlier) == .probe(at: earlier + 1))
        breaker.probed(isUp: false, began: start, at: start, jitter: 1)
        #expect(step(at: earlier) == .probe(at: earlier + 2))
    }

    // MARK: Errors in answer

    private let jobs = (1...9).map { _ in UUID() }

    private func fail(_ job: Int, _ call: Int? = nil) -> CircuitBreaker.Effect {
        report(.failed(job: jobs[job], "fails"), call ?? job)
    }

    @Test(
        "Errors in answer to five jobs in a row open it; a sound answer begins a new row, another error does not count")
    func errors() {
        for job in 1...4 { #expect(fail(job) == CircuitBreaker.Effect()) }
        #expect(report(.answered, 9) == CircuitBreaker.Effect())
        for job in 1...4 { #expect(fail(job) == CircuitBreaker.Effect()) }
        #expect(report(.faulty, 9) == CircuitBreaker.Effect(), "no sound answer")
        #expect(fail(4, 10) == CircuitBreaker.Effect(), "the same job once more")
        #expect(fail(5) == CircuitBreaker.Effect(givesBack: true, change: .opened("fails")))
        #expect(breaker.outage == "fails")
    }

    @Test("After errors only a sound answer closes it; the one job's error counts, and keeps it open for longer")
    func errorsOnTrial() {
        for job in 1...5 { _ = fail(job) }
        // The first error of a job that had none before does not make the wait longer.
        for (wait, isLasting) in [(1.0, false), (1, false), (2, false), (4, false), (8, true)] {
            #expect((breaker.lastingOutage != nil) == isLasting)
            #expect(step(at: start) == .probe(at: start + wait))
            breaker.probed(isUp: true, began: start + wait, at: start + wait, jitter: 1)
            #expect(breaker.outage == nil)
            #expect(breaker.trouble == "fails", "health does not show that it is over")
            #expect(refusal(of: 20) == nil)
            #expect(report(.faulty, 20) == CircuitBreaker.Effect())
            #expect(report(.broken, 20) == CircuitBreaker.Effect())
            #expect(fail(6, 20) == CircuitBreaker.Effect(givesBack: true, countsTry: true, change: .reopened))
        }
        breaker.probed(isUp: true, began: start + 15, at: start + 15, jitter: 1)
        _ = refusal(of: 21)
        #expect(report(.answered, 21) == CircuitBreaker.Effect(change: .closed))
        #expect(breaker.trouble == nil)
    }

    @Test("After errors many jobs are tried once, a second apart, since good ones may stand behind bad ones")
    func firstRound() {
        for job in 1...5 { _ = fail(job) }
        for _ in 6...60 {
            #expect(step(at: start) == .probe(at: start + 1))
            breaker.probed(isUp: true, began: start + 1, at: start + 1, jitter: 1)
            #expect(refusal(of: 20) == nil)
            _ = report(.failed(job: UUID(), "fails"), 20)
            #expect(breaker.lastingOutage == nil)
        }
        for wait in [1.0, 2, 4] {
            #expect(step(at: start) == .probe(at: start + wait))
            breaker.probed(isUp: true, began: start + wait, at: start + wait, jitter: 1)
            _ = refusal(of: 20)
            _ = report(.failed(job: UUID(), "fails"), 20)
        }
        #expect(breaker.lastingOutage == "fails")
    }
}
