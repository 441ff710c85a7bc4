import Doubles
import Foundation
import Model
import Synchronization
import Testing

@testable import Services

@Suite("Service client: errors in a row")
struct ErrorsInARowTests {
    private static let error = Behaviour.json(
        #"{"status": "error", "predictions": [], "error": {"message": "CUDA out of memory"}}"#)

    /// What a service is that answers everything with an error, and the pictures called good well.
    private func server() throws -> MisbehavingServer {
        try MisbehavingServer { request in
            request.path == "/health" || request.query.contains("good") ? .success : Self.error
        }
    }

    /// Lets the breaker be half-open.
    private func halfOpen(_ bench: Bench, after seconds: Double) async throws {
        async let permits = bench.client.permits()
        await bench.time.sleepers(1)
        bench.time.advance(by: .seconds(seconds))
        #expect(try await permits == 1)
    }

    @Test("of five jobs open the breaker, and none of the five has failed for it", arguments: [1, 4])
    func opens(_ concurrency: Int) async throws {
        let server = try server()
        let bench = Bench(port: server.port, concurrency: concurrency)
        let keys = (1...5).map { _ in UUID() }
        for key in keys.prefix(4) { #expect(await bench.analyze(key: key).isUndecided) }
        let reason = "blip at 127.0.0.1:\(server.port) fails for one job after another: CUDA out of memory"
        #expect(await bench.analyze(key: keys[4]) == .unavailable(reason))
        #expect(await bench.client.outage() == reason)
        #expect(bench.client.lastingOutage == nil, "it may have been the pictures")
        #expect(bench.client.trouble == "fails for one job after another: CUDA out of memory")
        #expect(bench.lines.all == ["warning: \(reason); its jobs stay in the queue"])
        #expect(await bench.analyze(key: keys[0]) == .unavailable(reason))
        #expect(server.requests.count { $0.path == "/analyze" } == 5)
    }

    @Test(
        "What is wrong with all: an endpoint that is not there, an answer that is none",
        arguments: [
            Behaviour.json("not found", status: 404), .json("[]"),
        ])
    func kinds(_ behaviour: Behaviour) async throws {
        let server = try MisbehavingServer { $0.path == "/health" ? .success : behaviour }
        let bench = Bench(port: server.port)
        for _ in 1...4 { #expect(await bench.analyze().isUndecided) }
        #expect(await bench.analyze().unavailable?.contains("fails for one job after another") == true)
    }

    @Test("What may pass is tried as before; the fifth job that fails all the same opens it")
    func serverErrors() async throws {
        let server = try MisbehavingServer { $0.path == "/health" ? .success : .json("no", status: 500) }
        let bench = Bench(port: server.port, maxTries: 2, time: InstantTime())
        for _ in 1...4 {
            let outcome = await bench.analyze()
            #expect(!outcome.isUndecided)
            #expect(outcome.failure?.tries == 2)
        }
        #expect(await bench.analyze().unavailable?.contains("answered 500") == true)
    }

    @Test("One picture among good ones fails at once, whoever is answered first")
    func oneBadPicture() async throws {
        let held = DispatchSemaphore(value: 0)
        let server = try MisbehavingServer { request in
            guard request.query.contains("good") else { return Self.error }
            held.wait()
            return .success
        }
        let bench = Bench(port: server.port)
        let good = Task { await bench.analyze("http://pictures/good.jpg") }
        await server.received { $0.count == 1 }
        let bad = Task { await bench.analyze("http://pictures/bad.jpg") }
        await server.received { $0.count == 2 }
        held.signal()
        #expect(await good.value.answer != nil)
        let outcome = await bad.value
        #expect(outcome.failure?.kind == .serviceError)
        #expect(outcome.failure?.tries == 1)
        #expect(!outcome.isUndecided)
    }

    @Test("One picture that fails comes again; if others were answered meanwhile it is not even asked about again")
    func comesAgain() async throws {
        let server = try server()
        let bench = Bench(port: server.port)
        let key = UUID()
        #expect(await bench.analyze(key: key).isUndecided)
        #expect(await bench.analyze("http://pictures/good.jpg").answer != nil)
        let outcome = await bench.analyze(key: key)
        #expect(!outcome.isUndecided)
        #expect(outcome.failure?.tries == 1)
        #expect(server.requests.count == 2)
    }

    @Test("One picture that fails and is alone is asked about once more, then it has failed")
    func alone() async throws {
        let server = try server()
        let bench = Bench(port: server.port)
        let key = UUID()
        #expect(await bench.analyze(key: key).isUndecided)
        let outcome = await bench.analyze(key: key)
        #expect(!outcome.isUndecided)
        #expect(outcome.failure?.tries == 2)
        #expect(outcome.failure?.kind == .serviceError)
    }

    @Test("While the breaker is open one job at a time is tried; its errors count, so that it ends with its row")
    func trials() async throws {
        let server = try server()
        let bench = Bench(port: server.port, maxTries: 3)
        let keys = (1...5).map { _ in UUID() }
        for key in keys { _ = await bench.analyze(key: key) }
        var wait = 1.01
        for _ in 1...2 {
            try await halfOpen(bench, after: wait)
            #expect(await bench.analyze(key: keys[0]).isUndecided)
            wait = wait * 2 + 0.01
        }
        try await halfOpen(bench, after: wait)
        let last = await bench.analyze(key: keys[0])
        #expect(!last.isUndecided)
        #expect(last.failure?.kind == .serviceError)
        #expect(bench.client.lastingOutage != nil)
        #expect(bench.lines.all.count == 1, "one outage is told once: \(bench.lines.all)")
    }

    @Test("Once it works again nothing is held against the jobs that it failed")
    func recovers() async throws {
        let isBroken = Mutex(true)
        let server = try MisbehavingServer { request in
            request.path == "/health" || !isBroken.withLock { $0 } ? .success : Self.error
        }
        let bench = Bench(port: server.port)
        let keys = (1...6).map { _ in UUID() }
        for key in keys.prefix(5) { _ = await bench.analyze(key: key) }
        try await halfOpen(bench, after: 1.01)
        #expect(await bench.analyze(key: keys[5]).isUndecided)
        isBroken.withLock { $0 = false }
        try await halfOpen(bench, after: 2.01)
        for key in keys { #expect(await bench.analyze(key: key).answer != nil) }
        #expect(bench.lines.all.last?.hasSuffix("works again") == true)
    }
}
