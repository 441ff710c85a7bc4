import Doubles
import Foundation
import Model
import Pipeline
import Roles
import Testing

@Suite("Images that are removed")
struct RemovedImageTests {
    @Test("while a job of theirs is done leave no row, no trigger, and a letter that says so; the others go on")
    func inFlight() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(2)
            try await bench.submit("clip", images)
            let store = bench.store
            let clip = ScriptedService("clip") { subject, _ in
                if subject == .file(path: "/photos/1.jpg") { _ = try? await store.remove([images[0]]) }
                return .answered(.of("clip", []))
            }
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)

            #expect(clip.calls.count == 2)
            #expect(try await bench.store.totals() == Totals(images: 1, results: 1))
            #expect(try await bench.drainedTriggers(.consensus).map(\.imageID) == [images[1]])
            #expect(try await bench.reasons("queue_clip") == ["unknown_image"])
        }
    }

    @Test("end their waiting jobs and triggers as no jobs, whatever role takes them")
    func waiting() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1)
            try await bench.submit("clip", images)
            for role in [PostProcessing.merger, .enricher, .consensus] { try await bench.trigger(role, images) }
            #expect(try await bench.store.remove(images).images == 1)
            let clip = ScriptedService("clip", predictions: [])
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)
            try await bench.run(PostProcessing.merger.queue, bench.merger.run)
            try await bench.run(PostProcessing.enricher.queue, bench.enricher([]).run)
            try await bench.run(PostProcessing.consensus.queue, bench.consensusRole.run)
            for queue in ["queue_clip"] + PostProcessing.allCases.map(\.queue) {
                #expect(try await bench.reasons(queue) == ["unknown_image"], "\(queue)")
            }
            #expect(clip.calls.isEmpty)
            #expect(try await bench.store.totals() == Totals())
        }
    }
}

extension Bench {
    /// Of the dead letters of a queue.
    fileprivate func reasons(_ queue: String) async throws -> [String] {
        let pass = try await self.queue.pass(through: queue, .dead)
        var reasons: [String] = []
        while case let batch = try await pass.next(), !batch.isEmpty {
            reasons += batch.map { DeadMessage(queue: queue, body: $0.body, headers: $0.headers).reason }
        }
        try await pass.close()
        return reasons
    }
}
