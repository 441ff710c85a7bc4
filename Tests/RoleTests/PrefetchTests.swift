import Doubles
import Foundation
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting

@Suite("How many jobs a worker fetches ahead")
struct PrefetchTests {
    private static let concurrency = 2

    /// - Returns: how many jobs were in flight during each call, the calls in their order.
    private func inFlight(
        _ bench: Bench, jobs: Int, lasting call: @escaping @Sendable (Int) -> Duration
    ) async throws -> [Int] {
        try await bench.submit("clip", try await bench.addImages(jobs))
        let seen = Mutex<[Int]>([])
        let service = ScriptedService("clip") { _, number in
            bench.time.advance(by: call(number))
            let held = (try? await bench.depth("queue_clip").inFlight) ?? 0
            seen.withLock { $0.append(held) }
            return .answered(.of("clip", []))
        }
        var options = bench.options("queue_clip")
        (options.prefetch, options.concurrency) = (nil, PrefetchTests.concurrency)
        let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
        try await bench.run("queue_clip", stage.run)
        return seen.withLock { $0 }
    }

    @Test("is 200 ms of work: many for a fast service")
    func fast() async throws {
        try await Bench.with { bench in
            let held = try await inFlight(bench, jobs: 1000) { _ in .milliseconds(1) }
            #expect(held.count == 1000)
            #expect(try #require(held.max()) > 100)
            #expect(try #require(held.max()) <= 500)
        }
    }

    @Test("is no more than it works on for a slow one, so that another worker finds the rest in the queue")
    func slow() async throws {
        try await Bench.with { bench in
            let held = try await inFlight(bench, jobs: 40) { _ in .seconds(1) }
            #expect(held.max() == PrefetchTests.concurrency)
        }
    }

    @Test("falls when a service becomes slow; jobs that would wait for long go back")
    func slower() async throws {
        try await Bench.with { bench in
            let held = try await inFlight(bench, jobs: 800) { $0 <= 500 ? .milliseconds(1) : .seconds(1) }
            #expect(try #require(held.prefix(500).max()) > 100)
            #expect(try #require(held.suffix(100).max()) <= 3 * PrefetchTests.concurrency)
            #expect(try await bench.store.totals().results == 800)
            #expect(try await bench.depth("queue_clip").dead == 0)
        }
    }

    /// Runs a worker that holds ten jobs, with a service that does not answer before the worker is drained.
    private func holdingTen(
        _ bench: Bench, _ body: (ScriptedService) async throws -> Void
    ) async throws -> ScriptedService {
        let hold = Drain()
        let service = ScriptedService("clip") { _, _ in
            await hold.wait()
            return .answered(.of("clip", []))
        }
        var options = bench.options("queue_clip", prefetch: 10)
        options.concurrency = PrefetchTests.concurrency
        let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
        let drain = Drain()
        async let running: Void = stage.run(drain)
        try await eventually { service.calls.count == PrefetchTests.begun }
        try await eventually { try await bench.depth("queue_clip").inFlight == 10 }
        try await body(service)
        drain.begin()
        try await eventually { try await bench.depth("queue_clip").inFlight == PrefetchTests.begun }
        hold.begin()
        try await running
        return service
    }

    /// While some jobs are worked on, as many are made ready.
    private static let begun = 2 * concurrency

    @Test("does not make a worker begin more than it works on; a drain gives the others back at once")
    func begun() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(10))
            let service = try await holdingTen(bench) { _ in }
            #expect(service.calls.count == PrefetchTests.begun)
            let depth = try await bench.depth("queue_clip")
            #expect(depth.waiting == 10 - PrefetchTests.begun)
            #expect(depth.inFlight == 0)
        }
    }

    @Test("does not make a process that dies count for redelivered jobs that it had not begun")
    func deaths() async throws {
        try await Bench.with { bench in
            let jobs = try await bench.addImages(10).map { (image: $0, job: UUID()) }
            for (image, job) in jobs { try await bench.submit("clip", [image], jobID: job) }
            let consumer = try await bench.queue.consume("queue_clip", prefetch: 10)
            var taken: [Delivery] = []
            while taken.count < 10 { taken += try await consumer.next(upTo: 10) }
            try await consumer.giveBack(taken.map(\.receipt), after: .zero)
            await consumer.close()

            _ = try await holdingTen(bench) { _ in
                let keys = jobs.map { JobKey(imageID: $0.image, jobID: $0.job, redelivered: true) }
                let standings = try await bench.store.standing(of: keys, workerID: "next")
                let begun = standings.filter { if case .open(_, 1) = $0 { true } else { false } }
                #expect(begun.count == PrefetchTests.begun)
            }
        }
    }
}
