import Doubles
import Foundation
import Harmony
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting
@Suite("What operators have set is obeyed: limits")
struct RateLimitTests {
    @Test("as many workers as there are take together what the limit allows", arguments: [1, 3, 8])
    func fleet(_ workers: Int) async throws {
        try await Bench.with { bench in
            try await bench.queue.publish((0..<1400).map { Message(queue: "queue_clip", body: Array("\($0)".utf8)) })
            try await bench.set("clip") { control, _ in control.rateLimit = 20 }
            let handler = Counter()
            let drain = Drain()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<workers {
                    // Each is a process of its own.
                    let watch = bench.watch()
                    try await watch.read()
                    var options = bench.options("queue_clip", prefetch: 4)
                    options.control = watch.gate(for: "clip")
                    let stage = Stage(options, queue: bench.queue, handler: handler)
                    group.addTask { try await stage.run(drain) }
                }
                try await eventually { handler.handled >= 1 }
                for step in 1...1200 {
                    // What half a second's tokens allow may still be on its way. Time goes on in any case: a worker that was held up
                    // between its question and its sleep sleeps too long.
                    let patience = ContinuousClock.now + .seconds(2)
                    while Double(handler.handled) < Double(step) - 11, ContinuousClock.now < patience {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    bench.time.advance(by: .milliseconds(50))
                }
                try await eventually { handler.handled >= 1140 }
                // A block is a quarter of a second's, and a bucket holds a second's at most.
                #expect(handler.handled <= 1260)
                drain.begin()
                try await group.waitForAll()
            }
            #expect(handler.handled <= 1260)
        }
    }

    @Test("a job is not taken before its token, also where the limit is set while the queue is empty")
    func token() async throws {
        try await Bench.with { bench in
            let (handler, watch) = (Counter(), bench.watch())
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: handler)
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { options.control.obeyed == 0 }
                try await bench.set("clip") { control, _ in control.rateLimit = 1 / 3600.0 }
                try await bench.moving { options.control.obeyed == 1 }
                try await bench.queue.publish((0..<3).map { Message(queue: "queue_clip", body: Array("\($0)".utf8)) })
                try await bench.moving { handler.handled == 1 }
                let begin = bench.time.now()
                try await bench.moving(by: .seconds(2)) { bench.time.now().timeIntervalSince(begin) > 1800 }
                #expect(handler.handled == 1)
                #expect(try await bench.depth("queue_clip").waiting == 2, "the others wait in the queue")
                try await bench.moving(by: .seconds(2)) { handler.handled == 2 }
                try await bench.set("clip") { control, _ in control.rateLimit = nil }
                try await bench.moving { handler.handled == 3 }
            }
        }
    }

    @Test("tokens that an idle worker has leased lapse and go back, again and again, for whoever asks first")
    func lapse() async throws {
        try await Bench.with { bench in
            try await bench.set("clip") { control, _ in control.rateLimit = 1 / 3600.0 }
            let records = FussyControl(bench.store)
            let (handler, watch) = (Counter(), bench.watch(records))
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: handler)
            try await bench.run(stage.run, under: watch) {
                // It has the only token there is for an hour, and nothing to do.
                try await bench.moving { records.returnedTokens >= 3 }
                try await bench.queue.publish([Message(queue: "queue_clip", body: [0x31])])
                try await bench.moving { handler.handled == 1 }
                #expect(bench.time.now().timeIntervalSince(bench.started) < 1800, "its token had come back")
            }
        }
    }

    @Test("a worker goes on when tokens cannot be leased for a while")
    func away() async throws {
        try await Bench.with { bench in
            try await bench.queue.publish((0..<8).map { Message(queue: "queue_clip", body: Array("\($0)".utf8)) })
            try await bench.set("clip") { control, _ in control.rateLimit = 1 }
            let records = FussyControl(bench.store)
            let (handler, watch) = (Counter(), bench.watch(records))
            try await watch.read()
            records.fail(PortFault(.transient, place: "k1", message: "out of reach"))
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: handler)
            try await bench.run(stage.run, under: watch) {
                let count = records.readCount
                try await bench.moving { records.readCount > count + 3 }
                #expect(handler.handled == 0)
                records.fail(nil)
                try await bench.moving { try await bench.isEmpty("queue_clip") }
            }
        }
    }

    @Test("another number of calls is taken over while jobs are in flight, more and fewer")
    func concurrency() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(9))
            let hold = Drain()
            let (service, watch) = (bench.clip(hold), bench.watch())
            var options = bench.options("queue_clip", prefetch: 2)
            (options.prefetch, options.concurrency) = (nil, 2)
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { service.calls.count == 2 }
                try await bench.set("clip") { control, _ in control.concurrency = 5 }
                try await bench.moving { service.calls.count == 5 }
                #expect(try await bench.depth("queue_clip").waiting == 4)
                try await bench.set("clip") { control, _ in control.concurrency = 1 }
                try await bench.moving { options.control.obeyed == 2 }
                hold.begin()
                try await bench.moving { try await bench.isEmpty("queue_clip") }
            }
        }
    }
}
