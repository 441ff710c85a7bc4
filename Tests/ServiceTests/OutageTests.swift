import Doubles
import Foundation
import Logging
import Model
import Pipeline
import Synchronization
import Testing
import Waiting

@testable import Services

@Suite("Service client: outages")
struct OutageTests {
    /// Refuses five jobs, so that the breaker opens.
    private func refuseFive(_ bench: Bench) async {
        for _ in 1...5 { #expect(await bench.analyze().unavailable?.contains("connection refused") == true) }
    }

    @Test("A refused connection is no try: the job goes back, and the takers pause")
    func refused() async throws {
        let server = try MisbehavingServer(listening: false)
        let bench = Bench(port: server.port, maxTries: 1)
        #expect(
            await bench.analyze() == .unavailable("blip at 127.0.0.1:\(server.port) is down: connection refused"))
        #expect(await bench.client.outage() == nil)
        async let permits = bench.client.permits()
        await bench.time.sleepers(1)
        bench.time.advance(by: .milliseconds(110))
        #expect(try await permits == .max)
        #expect(bench.lines.all.isEmpty)
    }

    @Test("Five refused jobs open the breaker; health resumes with one job, then all; each is logged once")
    func opensAndCloses() async throws {
        let server = try MisbehavingServer(listening: false) {
            $0.path == "/health" ? .json("", status: 404) : .success
        }
        let bench = Bench(port: server.port)
        await refuseFive(bench)
        for _ in 1...3 { #expect(await bench.analyze().unavailable != nil) }
        let outage = "blip at 127.0.0.1:\(server.port) is down: connection refused"
        #expect(await bench.client.outage() == outage)
        #expect(bench.lines.all == ["warning: \(outage); its jobs stay in the queue"])

        let takers = (1...3).map { _ in Task { try await bench.client.permits() } }
        // Two refused probes, a second and two seconds later.
        await bench.time.sleepers(1)
        bench.time.advance(by: .seconds(1.01))
        await bench.time.sleepers(1)
        server.listen()
        bench.time.advance(by: .seconds(2.01))
        for taker in takers { #expect(try await taker.value == 1) }
        #expect(await bench.client.outage() == nil)
        #expect(server.requests.map(\.path) == ["/health"])

        #expect(await bench.analyze().answer != nil)
        #expect(try await bench.client.permits() == .max)
        #expect(bench.lines.all.count == 2)
        #expect(bench.lines.all.last == "notice: blip at 127.0.0.1:\(server.port) works again")
    }

    @Test("Half-open, only one of many jobs is sent; those who want more wait for what becomes of it")
    func oneTrial() async throws {
        let held = DispatchSemaphore(value: 0)
        let server = try MisbehavingServer(listening: false) { request in
            if request.path == "/analyze" { held.wait() }
            return .success
        }
        let bench = Bench(port: server.port)
        await refuseFive(bench)
        server.listen()
        async let permits = bench.client.permits()
        await bench.time.sleepers(1)
        bench.time.advance(by: .seconds(1.01))
        #expect(try await permits == 1)
        let trial = Task { await bench.analyze() }
        await server.received { $0.contains { $0.path == "/analyze" } }
        for _ in 1...5 { #expect(await bench.analyze().unavailable != nil) }
        let taker = Task { try await bench.client.permits() }
        held.signal()
        #expect(await trial.value.answer != nil)
        #expect(try await taker.value == .max)
        #expect(server.requests.count { $0.path == "/analyze" } == 1)
    }

    @Test("A trial that is cancelled makes way for another job")
    func cancelledTrial() async throws {
        let server = try MisbehavingServer(listening: false) { $0.path == "/health" ? .success : .hang }
        let bench = Bench(port: server.port)
        await refuseFive(bench)
        server.listen()
        async let permits = bench.client.permits()
        await bench.time.sleepers(1)
        bench.time.advance(by: .seconds(1.01))
        #expect(try await permits == 1)
        let trial = Task { await bench.analyze() }
        await server.received { $0.contains { $0.path == "/analyze" } }
        let taker = Task { try await bench.client.permits() }
        trial.cancel()
        #expect(await trial.value.unavailable != nil)
        #expect(try await taker.value == 1)
    }

    @Test("A health of 500 or more is not up")
    func unhealthy() async throws {
        let server = try MisbehavingServer(listening: false) { $0.number == 1 ? .json("", status: 500) : .success }
        let bench = Bench(port: server.port)
        await refuseFive(bench)
        server.listen()
        async let permits = bench.client.permits()
        for (wait, count) in [(1.01, 1), (2.01, 2)] {
            await bench.time.sleepers(1)
            bench.time.advance(by: .seconds(wait))
            await server.received { $0.count == count }
        }
        #expect(try await permits == 1)
        #expect(server.requests.count { $0.path == "/health" } == 2)
    }

    @Test("Nobody probes while nobody wants to take, and another taker goes on when the one who probes leaves")
    func takers() async throws {
        let server = try MisbehavingServer(listening: false)
        let bench = Bench(port: server.port)
        await refuseFive(bench)
        server.listen()
        bench.time.advance(by: .seconds(100))
        #expect(server.requests.isEmpty)
        let fresh = Bench(port: try MisbehavingServer(listening: false).port)
        await refuseFive(fresh)
        let first = Task { try await fresh.client.permits() }
        await fresh.time.sleepers(1)
        let second = Task { try await fresh.client.permits() }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        await fresh.time.sleepers(1)
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(try await bench.client.permits() == 1)
    }

    @Test("Time-outs of five jobs open the breaker; jobs that wait for a retry go back at once, and none was counted")
    func timeouts() async throws {
        let behaviour = Mutex(Behaviour.hang)
        let server = try MisbehavingServer { _ in behaviour.withLock { $0 } }
        let bench = Bench(port: server.port, timeout: .seconds(1), maxTries: 2, concurrency: 5)
        let keys = (1...5).map { _ in UUID() }
        await withTaskGroup(of: AnalysisOutcome.self) { group in
            for key in keys { group.addTask { await bench.analyze(key: key) } }
            for await outcome in group { #expect(outcome.unavailable != nil) }
        }
        #expect(await bench.client.outage()?.contains("no answer within 1 s") == true)
        #expect(server.requests.count == 5)
        behaviour.withLock { $0 = .success }
        async let permits = bench.client.permits()
        await bench.time.sleepers(1)
        bench.time.advance(by: .seconds(1.01))
        #expect(try await permits == 1)
        #expect(await bench.analyze().answer != nil)
        behaviour.withLock { $0 = .json("", status: 500) }
        let before = server.requests.count
        // A fifth that fails for good in a row would open it.
        for key in keys.dropLast() {
            async let outcome = bench.analyze(key: key)
            await bench.time.sleepers(1)
            bench.time.advance(by: .seconds(10))
            #expect(await outcome.failure?.tries == 2)
        }
        #expect(server.requests.count == before + 8)
        #expect(bench.lines.all.count == 2)
    }

    @Test("A job that always hangs ends: its time-outs count while health answers, and the next job may pass")
    func hangingJob() async throws {
        let server = try MisbehavingServer { $0.query.contains("bad") ? .hang : .success }
        let bench = Bench(port: server.port, timeout: .seconds(1), maxTries: 3, concurrency: 5)
        await withTaskGroup(of: Void.self) { group in
            for _ in 1...5 { group.addTask { #expect(await bench.analyze("http://pictures/bad").unavailable != nil) } }
        }
        let key = UUID()
        for attempt in 1...3 {
            async let permits = bench.client.permits()
            await bench.time.sleepers(1)
            // A trial that failed makes the next one wait longer.
            bench.time.advance(by: .seconds(Double(1 << (attempt - 1)) + 0.01))
            #expect(try await permits == 1)
            let outcome = await bench.analyze("http://pictures/bad", key: key)
            if attempt < 3 {
                #expect(outcome.unavailable != nil)
            } else {
                let failure = try #require(outcome.failure)
                #expect(failure.kind == .timeout)
                #expect(failure.tries == 3)
                #expect(failure.firstFailure < bench.time.now())
            }
        }
        async let permits = bench.client.permits()
        await bench.time.sleepers(1)
        bench.time.advance(by: .seconds(8.01))
        #expect(try await permits == 1)
        #expect(await bench.analyze("http://pictures/good").answer != nil)
        #expect(try await bench.client.permits() == .max)
        #expect(bench.lines.count("is down") == 1)
    }

    @Test("A job that makes its service crash ends: tries that counted are kept when it goes back")
    func crashingJob() async throws {
        let server = try MisbehavingServer { _ in .close }
        let bench = Bench(port: server.port, maxTries: 2)
        let key = UUID()
        let first = Task { await bench.analyze(key: key) }
        await bench.time.sleepers(1)
        first.cancel()
        #expect(await first.value.unavailable != nil)
        let failure = try #require(await bench.analyze(key: key).failure)
        #expect(failure.kind == .connection)
        #expect(failure.tries == 2)
        #expect(server.requests.count == 2)
    }

    @Test("Who waits for a slot is turned away when the breaker opens, though all slots hang", .timeLimit(.minutes(1)))
    func openingTurnsAway() async {
        let (slots, time) = (Slots(1), ManualTime())
        let gate = ServiceGate(
            endpoint: ServiceEndpoint(name: "blip", host: "127.0.0.1", port: 1), client: HTTPClient(), slots: slots,
            time: time, randomness: { 1 }, events: .unheard)
        #expect(slots.takeFree())
        let generation = gate.generation
        async let waiting = slots.take(at: time.now(), within: .seconds(60), unless: { gate.generation != generation })
        while slots.waiting == 0 { await Task.yield() }
        gate.report(.asksForPause(until: time.now().addingTimeInterval(60), "rests"), of: gate.begin())
        #expect(await waiting == false)
        #expect(
            await slots.take(at: time.now(), within: .seconds(60), unless: { gate.generation != generation }) == false)
    }

    @Test("A host without that name is down, too")
    func nameless() async throws {
        let bench = Bench(port: 80, host: "no-such-host.invalid")
        #expect(await bench.analyze().unavailable?.contains("cannot be resolved") == true)
    }
}
