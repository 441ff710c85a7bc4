import Doubles
import Foundation
import Logging
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting

@Suite("The producer with a window", .timeLimit(.minutes(10)))
struct WindowProducerTests {
    private let targets = [Target(service: "clip", queue: "queue_clip"), Target(service: "blip", queue: "queue_blip")]

    private func producer(_ bench: Bench, queue: WindowQueue? = nil) -> WindowProducer {
        WindowProducer(
            store: bench.store, queue: queue ?? bench.queue, time: bench.time, randomness: { 1 }, log: Bench.log)
    }

    /// Runs the producer, while time goes on in its steps, and `act` happens at each look at the queues.
    @discardableResult
    private func run(
        _ bench: Bench, _ options: WindowOptions, queue: WindowQueue? = nil, drain: Drain = Drain(),
        _ act: @Sendable @escaping (WindowCounts) async throws -> Void
    ) async throws -> WindowCounts? {
        let clock = Task {
            while !Task.isCancelled {
                await bench.time.sleepers(1)
                bench.time.advance(by: .seconds(1))
            }
        }
        let result = await Task { try await producer(bench, queue: queue).run(options, drain: drain, progress: act) }
            .result
        clock.cancel()
        // The clock may be waiting for somebody who sleeps. If it has stopped, nobody wakes that one.
        let sleeper = Task { try? await bench.time.sleep(.milliseconds(1)) }
        await clock.value
        sleeper.cancel()
        return try result.get()
    }

    /// Takes jobs from a queue for good.
    private func take(_ bench: Bench, _ queue: String, _ count: Int) async throws -> [Job] {
        let consumer = try await bench.queue.consume(queue, prefetch: count)
        var jobs: [Job] = []
        while jobs.count < count {
            let deliveries = try await consumer.next(upTo: count - jobs.count)
            jobs += try deliveries.map { try Job(body: $0.body, queue: queue, service: "") }
            try await consumer.acknowledge(deliveries.map(\.receipt))
        }
        await consumer.close()
        return jobs
    }

    private func record(_ bench: Bench, _ jobs: [Job]) async throws {
        try await bench.store.record(
            jobs.map {
                AnalysisResult(
                    imageID: $0.imageID, service: $0.serviceName, data: Answer.of($0.serviceName, []).body,
                    status: .success, processingTime: 0.01, workerID: "test", jobID: $0.jobID)
            })
    }

    @Test("never lets more wait than the window holds, and submits every job once, in order")
    func window() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(103)
            let taken = Mutex<[String: [Job]]>([:])
            let counts = try await run(bench, WindowOptions(targets: targets, window: 10)) { counts in
                for lane in counts.lanes {
                    let queue = lane.target.queue
                    let depth = try await bench.depth(queue).waiting
                    #expect(depth <= 10)
                    guard depth > 0 else { continue }
                    let jobs = try await take(bench, queue, depth)
                    taken.withLock { $0[queue, default: []] += jobs }
                }
            }
            for queue in targets.map(\.queue) {
                let rest = try await bench.depth(queue).waiting
                let jobs = taken.withLock { $0[queue] ?? [] } + (rest > 0 ? try await take(bench, queue, rest) : [])
                #expect(jobs.map(\.imageID) == images)
                #expect(Set(jobs.map(\.jobID)).count == images.count)
            }
            #expect(counts?.isOver == true && counts?.jobs == 206 && counts?.images == 103)
        }
    }

    @Test("a hundred groups take turns")
    func groups() async throws {
        try await Bench.with { bench in
            let names = (1...100).map { "g\($0)" }
            for name in names {
                let images = (1...3).map {
                    NewImage(filename: "\(name)-\($0)", path: "/\(name)/\($0).jpg", group: name)
                }
                _ = try await bench.store.add(images, move: false)
            }
            let options = WindowOptions(targets: [targets[0]], groups: names, window: 100)
            let taken = Mutex<[Job]>([])
            try await run(bench, options) { counts in
                let depth = try await bench.depth("queue_clip").waiting
                guard depth == 100 else { return }
                let jobs = try await take(bench, "queue_clip", depth)
                taken.withLock { $0 += jobs }
            }
            let jobs = taken.withLock { $0 }
            #expect(jobs.count >= 200)
            for round in 0..<2 {
                let turn = jobs[(round * 100)..<((round + 1) * 100)]
                #expect(Set(turn.compactMap { $0.imagePath?.split(separator: "/").first }).count == 100)
            }
        }
    }

    @Test("a queue from which nobody takes holds up no other")
    func standstill() async throws {
        try await Bench.with { bench in
            try await bench.addImages(30)
            let drain = Drain()
            let counts = try await run(bench, WindowOptions(targets: targets, window: 5), drain: drain) { counts in
                let depth = try await bench.depth("queue_clip").waiting
                if depth > 0 { _ = try await take(bench, "queue_clip", depth) }
                if counts.lanes[0].isOver, counts.lanes[1].stillSeconds > 5 { drain.begin() }
            }
            #expect(counts?.lanes[0].isOver == true && counts?.lanes[0].images == 30)
            #expect(counts?.lanes[1].isOver == false && counts?.lanes[1].images == 5)
            #expect(try await bench.depth("queue_blip").waiting == 5)
        }
    }

    @Test("killed at any moment and run again, nothing is submitted twice and nothing is left out", arguments: 1...40)
    func killed(after steps: Int) async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(7)
            let mortal = MortalQueue(bench.queue, dyingAfter: steps)
            let options = WindowOptions(targets: targets, window: 3)
            let seen = Mutex<[UUID: Int]>([:])
            // Jobs that are taken have their rows.
            @Sendable func work() async throws {
                for target in targets {
                    let depth = try await bench.depth(target.queue).waiting
                    guard depth > 0 else { continue }
                    let jobs = try await take(bench, target.queue, depth)
                    seen.withLock { seen in for job in jobs { seen[job.jobID, default: 0] += 1 } }
                    try await record(bench, jobs)
                }
            }
            do {
                try await run(bench, options, queue: mortal) { _ in try await work() }
            } catch is MortalQueue.Killed {
            } catch let fault as PortFault where fault.message == "killed" {}
            let counts = try await run(bench, options) { _ in try await work() }
            try await work()
            #expect(counts?.isOver == true)
            let jobs = seen.withLock { $0 }
            #expect(jobs.count == images.count * targets.count)
            #expect(jobs.values.allSatisfy { $0 == 1 }, "\(jobs.values.filter { $0 != 1 }) after \(steps) steps")
        }
    }

    @Test("run again after the end, it submits what has come since; begun anew, everything")
    func again() async throws {
        try await Bench.with { bench in
            try await bench.addImages(4)
            var options = WindowOptions(targets: targets, window: 100)
            #expect(try await run(bench, options) { _ in }?.jobs == 8)
            #expect(try await run(bench, options) { _ in }?.jobs == 0)
            _ = try await bench.store.add([NewImage(filename: "new.jpg", path: "/new.jpg")], move: false)
            let more = try await run(bench, options) { _ in }
            #expect(more?.jobs == 2 && more?.jobsInAll == 10)
            options.restarts = true
            #expect(try await run(bench, options) { _ in }?.jobs == 10)
            #expect(try await bench.depth("queue_clip").waiting == 10)
        }
    }

    @Test("the limit counts images of all runs, and of all groups")
    func limit() async throws {
        try await Bench.with { bench in
            try await bench.addImages(4, group: "a")
            let others = (1...4).map { NewImage(filename: "b\($0)", path: "/b/\($0).jpg", group: "b") }
            _ = try await bench.store.add(others, move: false)
            var options = WindowOptions(targets: [targets[0]], groups: ["a", "b"], window: 100, limit: 3)
            #expect(try await run(bench, options) { _ in }?.jobs == 3)
            #expect(try await run(bench, options) { _ in }?.jobs == 0)
            options.limit = 5
            #expect(try await run(bench, options) { _ in }?.jobs == 2)
        }
    }

    @Test("what lacks a result is gone through again and again, each time by itself")
    func lacking() async throws {
        try await Bench.with { bench in
            try await bench.addImages(3)
            let options = WindowOptions(targets: [targets[0]], kind: .lacking, window: 100)
            #expect(try await run(bench, options) { _ in }?.jobs == 3)
            let jobs = try await take(bench, "queue_clip", 3)
            try await record(bench, [jobs[1]])
            #expect(try await run(bench, options) { _ in }?.jobs == 2)
            #expect(try await Set(take(bench, "queue_clip", 2).map(\.imageID)) == [jobs[0].imageID, jobs[2].imageID])
        }
    }

    @Test("the one that was started last goes on, and the other one ends and says so")
    func two() async throws {
        try await Bench.with { bench in
            try await bench.addImages(20)
            let options = WindowOptions(targets: [targets[0]], window: 4)
            let second = Mutex(false)
            let fault = await #expect(throws: PortFault.self) {
                try await run(bench, options) { counts in
                    if counts.jobs == 4, !second.withLock({ exchange(&$0, true) }) {
                        let drain = Drain()
                        _ = try await producer(bench).run(options, drain: drain) { _ in drain.begin() }
                        _ = try await take(bench, "queue_clip", 4)
                    }
                }
            }
            #expect(fault?.message.contains("another farm produce --window") == true)
            #expect(try await bench.depth("queue_clip").waiting == 0)
        }
    }

    @Test("a broker that refuses for a while gets the rest later, and no job twice")
    func refused() async throws {
        try await Bench.with { bench in
            try await bench.addImages(10)
            let queue = MortalQueue(bench.queue, refusing: "queue_blip", times: 3)
            let counts = try await run(bench, WindowOptions(targets: targets, window: 100), queue: queue) { _ in }
            #expect(counts?.jobs == 20)
            let jobs = try await take(bench, "queue_blip", 10)
            #expect(Set(jobs.map(\.jobID)).count == 10)
            #expect(try await bench.depth("queue_blip").waiting == 0)
        }
    }
}

private func exchange(_ flag: inout Bool, _ value: Bool) -> Bool {
    defer { flag = value }
    return flag
}
