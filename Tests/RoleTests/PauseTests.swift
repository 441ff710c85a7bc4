import Doubles
import Foundation
import Harmony
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting
@Suite("What operators have set is obeyed: a pause")
struct PauseTests {
    @Test("lets jobs in flight end, gives the others back and takes nothing, until it ends")
    func pause() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(6))
            let hold = Drain()
            let (service, watch) = (bench.clip(hold), bench.watch())
            var options = bench.options("queue_clip", prefetch: 2)
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            try await bench.run(stage.run, under: watch) {
                try await eventually { service.calls.count == 2 }
                try await bench.set("clip") { control, _ in control.isPaused = true }
                try await bench.moving { options.control.isPaused }
                // What is in hand goes on, and the pause is obeyed meanwhile.
                try await eventually { options.control.obeyed == 1 }
                #expect(try await bench.depth("queue_clip").inFlight == 2)
                hold.begin()
                try await eventually { try await bench.depth("queue_clip").inFlight == 0 }
                #expect(try await bench.depth("queue_clip").waiting == 4)
                bench.time.advance(by: .seconds(60))
                #expect(service.calls.count == 2, "nothing is taken")
                try await bench.set("clip") { control, _ in control.isPaused = false }
                try await bench.moving { try await bench.isEmpty("queue_clip") }
                #expect(service.calls.count == 6)
                #expect(try await bench.depth("queue_clip").dead == 0)
            }
        }
    }

    @Test("does not make a role that gathers take more before it has settled what it has")
    func gathering() async throws {
        try await Bench.with { bench in
            let (hold, watch) = (Drain(), bench.watch())
            let handler = Counter(hold: hold)
            var options = bench.options("q")
            (options.gathers, options.control) = (true, watch.gate(for: "clip"))
            let stage = Stage(options, queue: bench.queue, handler: handler)
            try await bench.queue.publish([Message(queue: "q", body: [0x31])])
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { handler.handled == 1 }
                for round in 1...2 {
                    try await bench.set("clip") { control, _ in control.isPaused = round == 1 }
                    try await bench.moving { options.control.obeyed == round }
                }
                try await bench.queue.publish([Message(queue: "q", body: [0x32])])
                // It has every opportunity; that it does nothing, no event tells.
                for _ in 0..<50 {
                    bench.time.advance(by: .milliseconds(100))
                    try await Task.sleep(for: .milliseconds(1))
                }
                #expect(handler.handled == 1)
                hold.begin()
                try await bench.moving { try await bench.isEmpty("q") }
                #expect(handler.handled == 2)
            }
        }
    }

    @Test("that was set while nobody worked is obeyed from the start")
    func fromTheStart() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(1))
            try await bench.set("clip") { control, _ in control.isPaused = true }
            let (service, watch) = (bench.clip(), bench.watch())
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { options.control.obeyed == 1 }
                bench.time.advance(by: .seconds(60))
                #expect(service.calls.isEmpty)
                #expect(try await bench.depth("queue_clip").waiting == 1)
            }
        }
    }

    @Test("ends by itself when its time has passed, by the store's clock")
    func until() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(1))
            try await bench.set("clip") { control, now in
                (control.isPaused, control.until) = (true, now.addingTimeInterval(600))
            }
            let (service, watch) = (bench.clip(), bench.watch())
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            let begin = bench.time.now()
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { try await bench.isEmpty("queue_clip") }
                #expect(bench.time.now().timeIntervalSince(begin) >= 600)
            }
        }
    }

    @Test("holds for roles, whose triggers wait")
    func role() async throws {
        try await Bench.with { bench in
            let image = try #require(try await bench.addImages(1).first)
            try await bench.record("blip", image, [])
            try await bench.trigger(.consensus, [image])
            try await bench.set("consensus") { control, _ in control.isPaused = true }
            let watch = bench.watch()
            let consensus = bench.consensus(under: watch.gate(for: "consensus"))
            try await bench.run(consensus.run, under: watch) {
                try await bench.moving { watch.gate(for: "consensus").obeyed == 1 }
                bench.time.advance(by: .seconds(60))
                #expect(try await bench.depth(PostProcessing.consensus.queue).waiting == 1)
                try await bench.set("consensus") { control, _ in control.isPaused = false }
                try await bench.moving { try await bench.isEmpty(PostProcessing.consensus.queue) }
            }
        }
    }

    @Test("goes on while the store cannot be read, and nothing is taken before it was read once")
    func away() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(2))
            let away = PortFault(.transient, place: "k1", message: "out of reach")
            let records = FussyControl(bench.store, away)
            let (service, watch) = (bench.clip(), bench.watch(records))
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            try await bench.set("clip") { control, _ in control.isPaused = true }
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { records.readCount > 3 }
                #expect(options.control.control == nil && service.calls.isEmpty)
                records.fail(nil)
                try await bench.moving { options.control.isPaused }
                records.fail(away)
                try await bench.set("clip") { control, _ in control.isPaused = false }
                let count = records.readCount
                try await bench.moving { records.readCount > count + 3 }
                #expect(options.control.isPaused, "what was read last is obeyed")
                records.fail(nil)
                try await bench.moving { try await bench.isEmpty("queue_clip") }
            }
        }
    }

    @Test("does not hold up whoever may not read what is set")
    func forbidden() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(1))
            let records = FussyControl(
                bench.store, PortFault(.refused, place: "k1", message: "permission denied for table farm_control"))
            let watch = bench.watch(records)
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(bench.clip()))
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { try await bench.isEmpty("queue_clip") }
            }
        }
    }

    @Test("is in the worker's row as soon as it is obeyed")
    func row() async throws {
        try await Bench.with { bench in
            let gate = ControlGate("clip") { _, _ in .unlimited }
            let presence = Presence(
                identity: bench.identity("clip"), queue: "queue_clip", interval: .seconds(60), register: bench.store,
                condition: { WorkerCondition(.working) }, control: gate, time: bench.time,
                notice: HeartbeatOutageNotice(log: Bench.log))
            let end = Drain()
            async let running: Void = presence.around(Drain()) { await end.wait() }
            try await eventually { try await bench.store.liveWorkers().map(\.revision) == [nil] }
            var control = ServiceControl(service: "clip")
            control.revision = 4
            gate.adopt(control)
            try await bench.moving { try await bench.store.liveWorkers().map(\.revision) == [4] }
            end.begin()
            try await running
        }
    }
}

extension Bench {
    fileprivate func consensus(under gate: ControlGate) -> Stage<ConsensusRole> {
        var options = options(PostProcessing.consensus.queue)
        options.control = gate
        let role = ConsensusRole(
            identity: identity("consensus"), evidence: [:], voting: .init(), store: store, time: time)
        return Stage(options, queue: queue, handler: role)
    }
}
