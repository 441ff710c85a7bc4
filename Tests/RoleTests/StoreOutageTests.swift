import Doubles
import Foundation
import Harmony
import Model
import Pipeline
import Roles
import Testing
import Waiting

@Suite("A store that takes no rows")
struct StoreOutageTests {
    /// A bench whose store is fussy, with jobs of `clip`.
    private struct Scene {
        let bench: Bench
        let store: FussyStore
        let gate: StoreGate
        let images: [ImageID]

        func options(_ queue: String, prefetch: Int = 4) -> StageOptions {
            var options = bench.options(queue, prefetch: prefetch)
            options.store = gate
            return options
        }

        func stage(_ service: any AnalysisService, prefetch: Int = 4) -> Stage<Worker> {
            Stage(
                options("queue_\(service.name)", prefetch: prefetch), queue: bench.queue,
                handler: bench.worker(service, store: store))
        }

        func results() async throws -> [StoredResult] {
            try await bench.store.report(on: images).flatMap(\.findings.results)
        }

        /// Turns the hands until a condition holds.
        func pass(_ step: Duration = .milliseconds(500), until condition: () async throws -> Bool) async throws {
            try await eventually {
                bench.time.advance(by: step)
                return try await condition()
            }
        }
    }

    private func scene(_ jobs: Int, _ test: (Scene) async throws -> Void) async throws {
        try await Bench.with { bench in
            let store = FussyStore(bench.store)
            let images = try await bench.addImages(max(jobs, 1))
            if jobs > 0 { try await bench.submit("clip", images) }
            try await test(
                Scene(
                    bench: bench, store: store, gate: StoreGate(store, time: bench.time, log: Bench.log),
                    images: images))
        }
    }

    private static let kinds: [PortFault.Kind] = [.refused, .unusable, .transient]

    private func fault(_ kind: PortFault.Kind) -> PortFault {
        PortFault(kind, place: "db", message: "takes nothing today")
    }

    @Test("is not worked for: no job is taken, no service called; all is done when it takes rows", arguments: kinds)
    func fromTheStart(_ kind: PortFault.Kind) async throws {
        try await scene(6) { scene in
            scene.store.refuseAll(fault(kind))
            let clip = ScriptedService("clip", predictions: [])
            let drain = Drain()
            async let running: Void = scene.stage(clip).run(drain)
            for _ in 0..<3 { try await scene.pass { scene.gate.outage != nil } }
            #expect(scene.gate.outage?.fault.message == "takes nothing today")
            #expect(scene.gate.outage?.isPassing == (kind == .transient))
            #expect(clip.calls.isEmpty)
            let depth = try await scene.bench.depth("queue_clip")
            #expect(depth.waiting == 6)
            scene.store.refuseAll(nil)
            try await scene.pass { try await scene.bench.isEmpty("queue_clip") }
            #expect(clip.calls.count == 6)
            #expect(try await scene.results().map(\.status) == Array(repeating: .success, count: 6))
            #expect(scene.gate.outage == nil)
            drain.begin()
            try await running
        }
    }

    @Test(
        "keeps the answers that are in hand, and calls nobody; then each job has its row by one call", arguments: kinds)
    func midway(_ kind: PortFault.Kind) async throws {
        try await scene(12) { scene in
            let hold = Drain()
            let clip = ScriptedService("clip") { _, _ in
                await hold.wait()
                return .answered(.of("clip", []))
            }
            let drain = Drain()
            async let running: Void = scene.stage(clip).run(drain)
            await clip.called(4)
            scene.store.refuseAll(fault(kind))
            hold.begin()
            try await scene.pass { scene.gate.outage != nil }
            for _ in 0..<20 {
                scene.bench.time.advance(by: .seconds(1))
                for _ in 0..<20 { await Task.yield() }
            }
            #expect(clip.calls.count == 4, "nobody was asked in the meantime")
            #expect(try await scene.bench.depth("queue_clip").dead == 0)
            scene.store.refuseAll(nil)
            try await scene.pass { try await scene.bench.isEmpty("queue_clip") }
            #expect(clip.calls.count == 12, "what was answered before was kept")
            #expect(try await scene.results().count == 12)
            #expect(try await scene.bench.drainedTriggers(.consensus).count == 12)
            drain.begin()
            try await running
        }
    }

    @Test("has answers given back after a minute; the jobs stay and are done later")
    func givesBack() async throws {
        try await scene(8) { scene in
            let hold = Drain()
            let clip = ScriptedService("clip") { _, _ in
                await hold.wait()
                return .answered(.of("clip", []))
            }
            let drain = Drain()
            async let running: Void = scene.stage(clip).run(drain)
            await clip.called(4)
            scene.store.refuseAll(FussyStore.full)
            hold.begin()
            try await scene.pass(.seconds(5)) { try await scene.bench.depth("queue_clip").waiting == 8 }
            #expect(clip.calls.count == 4)
            scene.store.refuseAll(nil)
            try await scene.pass { try await scene.bench.isEmpty("queue_clip") }
            #expect(try await scene.results().count == 8)
            #expect(try await scene.bench.depth("queue_clip").dead == 0)
            drain.begin()
            try await running
        }
    }

    @Test("lets a drain end at once, with answers in hand; their jobs go back")
    func drains() async throws {
        try await scene(4) { scene in
            let clip = ScriptedService("clip", predictions: [])
            scene.store.refuse(images: Set(scene.images))
            let drain = Drain()
            async let running: Void = scene.stage(clip).run(drain)
            try await scene.pass { scene.gate.outage != nil }
            drain.begin()
            try await running
            #expect(try await scene.bench.depth("queue_clip").waiting == 4)
        }
    }

    @Test("for rows of one image says so too: others' answers are stored, and nothing more is taken")
    func partition() async throws {
        try await scene(4) { scene in
            scene.store.refuse(images: [scene.images[1]])
            let hold = Drain()
            let clip = ScriptedService("clip") { _, _ in
                await hold.wait()
                return .answered(.of("clip", []))
            }
            let drain = Drain()
            async let running: Void = scene.stage(clip).run(drain)
            await clip.called(4)
            hold.begin()
            try await scene.pass { try await scene.results().count == 3 && scene.gate.outage != nil }
            #expect(scene.gate.outage?.fault.message == "no partition found for row")
            scene.store.refuse(images: [])
            try await scene.pass { try await scene.bench.isEmpty("queue_clip") }
            #expect(try await scene.results().count == 4)
            #expect(try await scene.bench.depth("queue_clip").dead == 0)
            drain.begin()
            try await running
        }
    }

    @Test("though it takes plain ones costs at most a job of each role every 15 s")
    func blindProbe() async throws {
        try await scene(40) { scene in
            let clip = ScriptedService("clip", predictions: [])
            let hold = Drain()
            let slow = ScriptedService("clip") { _, _ in
                await hold.wait()
                return .answered(.of("clip", []))
            }
            let drain = Drain()
            async let running: Void = scene.stage(slow).run(drain)
            await slow.called(4)
            // Only real rows feel it: a disk without room.
            scene.store.refuseAll(fault(.transient), probed: false)
            hold.begin()
            try await scene.pass { scene.gate.outage != nil }
            let begin = scene.bench.time.now()
            try await scene.pass(.seconds(1)) { scene.bench.time.now().timeIntervalSince(begin) > 300 }
            #expect(slow.calls.count <= 4 + 300 / 7, "the waits grow to 15 s, half of it at least")
            scene.store.refuseAll(nil)
            try await scene.pass { try await scene.bench.isEmpty("queue_clip") }
            #expect(try await scene.results().count == 40)
            #expect(clip.calls.isEmpty)
            drain.begin()
            try await running
        }
    }

    @Test("that refuses one answer gets an error row without it, a trigger and a dead letter; the others pass")
    func refusedValue() async throws {
        try await scene(4) { scene in
            scene.store.refuse("poison")
            let clip = ScriptedService("clip") { subject, _ in
                let isBad = subject == .file(path: "/photos/2.jpg")
                return .answered(.of("clip", [.object(["label": isBad ? "poison" : "cat"])]))
            }
            let drain = Drain()
            async let running: Void = scene.stage(clip).run(drain)
            try await eventually { try await scene.bench.isEmpty("queue_clip") }
            drain.begin()
            try await running
            #expect(clip.calls.count == 4)
            let rows = try await scene.results()
            #expect(rows.map(\.status) == [.success, .error, .success, .success])
            let error = try #require(rows[1].data["error"])
            #expect(error["kind"] == "refused")
            #expect(error["message"] == "db: invalid value")
            #expect(!rows[1].data.text.contains("poison"))
            #expect(try await scene.bench.drainedTriggers(.consensus).count == 4)
            #expect(try await scene.bench.depth("queue_clip").dead == 1)
            #expect(scene.gate.outage == nil)
        }
    }

    @Test("keeps the triggers of the merger, too")
    func merger() async throws {
        try await scene(0) { scene in
            try await scene.bench.record("yolov8", scene.images[0], [])
            scene.store.refuse(images: Set(scene.images))
            try await scene.bench.trigger(.merger, scene.images)
            let merger = Merger(
                identity: scene.bench.identity("bbox_merger"), detectors: Bench.detectors, merging: MergingOptions(),
                store: scene.store, time: scene.bench.time, log: Bench.log)
            let stage = Stage(scene.options(PostProcessing.merger.queue), queue: scene.bench.queue, handler: merger)
            let drain = Drain()
            async let running: Void = stage.run(drain)
            try await scene.pass { scene.gate.outage != nil }
            scene.store.refuse(images: [])
            try await scene.pass { try await scene.bench.isEmpty(PostProcessing.merger.queue) }
            #expect(try await scene.bench.depth(PostProcessing.merger.queue).dead == 0)
            #expect(try await scene.bench.drainedTriggers(.consensus).count == 1)
            drain.begin()
            try await running
        }
    }

    @Test("when deliveries are admitted has them given back; no job dies of it, and none is counted as begun")
    func admission() async throws {
        try await scene(3) { scene in
            let clip = ScriptedService("clip", predictions: [])
            // Taken once by a process that dies, so that they come redelivered, and are written down.
            let first = try await scene.bench.queue.consume("queue_clip", prefetch: 3)
            let receipts = try await first.next(upTo: 3).map(\.receipt)
            scene.store.refuseAll(FussyStore.full, probed: false)
            try await first.giveBack(receipts, after: .zero)
            await first.close()
            let drain = Drain()
            async let running: Void = scene.stage(clip).run(drain)
            try await scene.pass { scene.gate.outage != nil }
            scene.store.refuseAll(nil)
            try await scene.pass { try await scene.bench.isEmpty("queue_clip") }
            #expect(try await scene.results().map(\.status) == [.success, .success, .success])
            #expect(try await scene.bench.depth("queue_clip").dead == 0)
            drain.begin()
            try await running
        }
    }
}
