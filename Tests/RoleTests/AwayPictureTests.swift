import Doubles
import Foundation
import Harmony
import Model
import Pipeline
import Synchronization
import Testing

@testable import Roles

/// What workers and enricher do while pictures are away.
@Suite("Pictures that are away")
struct AwayPictureTests {
    private let dog = JSON.object([
        "label": "dog", "emoji": "🐶", "confidence": 0.95, "bbox": Box(x: 10, y: 10, width: 50, height: 50).json,
    ])

    /// Lets time pass until a condition holds.
    private func passing(_ bench: Bench, _ condition: @escaping () async throws -> Bool) async throws -> Bool {
        bench.time.advance(by: .milliseconds(500))
        return try await condition()
    }

    /// Runs a worker's stage until a condition holds; time passes also while it drains, since jobs go back one by one.
    private func run(
        _ bench: Bench, _ worker: Worker, until condition: @escaping () async throws -> Bool
    ) async throws {
        let hands = Task { [time = bench.time] in
            while !Task.isCancelled {
                time.advance(by: .milliseconds(100))
                await Task.yield()
            }
        }
        defer { hands.cancel() }
        try await bench.run(bench.stage(worker, "clip").run, until: condition)
    }

    // MARK: Workers

    @Test("a job whose folder is not mounted goes back, others pass it, and it is done when the folder is back")
    func worker() async throws {
        try await Bench.with { bench in
            let images = try await bench.store.add(
                (1...20).map { NewImage(path: "/mnt/nas/\($0).jpg") } + [NewImage(path: "/photos/1.jpg")], move: false
            ).ids
            try await bench.submit("clip", images)
            let gallery = Gallery()
            gallery.set("/mnt/nas/", .away("/mnt/nas"))
            let clip = ScriptedService("clip", predictions: [])
            let loader = bench.loader(gallery)
            let worker = bench.worker(clip, pictures: loader)
            // While a picture is tried again nothing is told of its folder.
            let reason = Mutex("")
            try await run(bench, worker) {
                guard try await bench.store.totals().results == 1, let row = loader.postponed()["clip"], row.jobs >= 20
                else { return false }
                reason.withLock { $0 = row.reason }
                return true
            }
            #expect(clip.calls == [.file(path: "/photos/1.jpg")])
            #expect(try await bench.depth("queue_clip").waiting == 20)
            #expect(try await bench.depth("queue_clip").dead == 0)
            #expect(reason.withLock { $0 }.contains("pictures of /mnt/nas are away"))

            gallery.set("/mnt/nas/", nil)
            try await run(bench, worker) { try await bench.isEmpty("queue_clip") }
            #expect(try await bench.store.totals().results == 21)
            #expect(try await bench.store.failures(since: FailureMark(resultID: 0, time: "")).isEmpty)
            #expect(loader.postponed().isEmpty)
        }
    }

    @Test("a file that goes away between the look and the call is looked at again: nothing is lost")
    func betweenLookAndCall() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1)
            try await bench.submit("clip", images)
            let gallery = Gallery()
            let clip = ScriptedService("clip") { _, call in
                guard call == 1 else { return .answered(.of("clip", [])) }
                gallery.set("/photos/", .away("/photos"))
                return .failed(
                    AnalysisFailure(
                        kind: .image, message: "cannot be read", tries: 0, firstFailure: Date(timeIntervalSince1970: 1))
                )
            }
            let worker = bench.worker(clip, pictures: bench.loader(gallery))
            try await run(bench, worker) {
                if try await bench.depth("queue_clip").waiting == 1 { gallery.set("/photos/", nil) }
                return try await bench.isEmpty("queue_clip")
            }
            #expect(try await bench.report(images[0]).findings.results.map(\.status) == [.success])
            #expect(try await bench.depth("queue_clip").dead == 0)
        }
    }

    @Test("a picture that fails at every try has a row that says how often, so that it is asked for again later")
    func worn() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1)
            try await bench.submit("clip", images)
            let gallery = Gallery()
            gallery.set("/photos/1.jpg", .stumble("/photos"))
            let clip = ScriptedService("clip", predictions: [])
            let worker = bench.worker(clip, pictures: bench.loader(gallery))
            try await bench.run("queue_clip", bench.stage(worker, "clip").run)
            let error = try await bench.report(images[0]).findings.results.first?.data["error"]
            #expect(error?["kind"] == "image")
            #expect(error?["tries"] == 3)
            #expect(try await bench.store.count(ImageFilter(lacking: ["clip"], answers: .settled)) == 1)
        }
    }

    // MARK: The enricher

    private func merged(_ bench: Bench, _ images: [NewImage]) async throws -> [ImageID] {
        let ids = try await bench.store.add(images, move: false).ids
        for id in ids { try await bench.record("yolov8", id, [dog]) }
        try await bench.trigger(.merger, ids)
        try await bench.run(PostProcessing.merger.queue, bench.merger.run)
        return ids
    }

    private func colors() -> ScriptedService {
        ScriptedService("colors", predictions: [.object(["type": "color_analysis"])])
    }

    @Test("boxes whose host is away are noted, and made up for when it is back; no row is an error")
    func enricher() async throws {
        try await Bench.with { bench in
            let images = try await merged(
                bench, (1...30).map { NewImage(url: "http://nas/\($0).jpg") } + [NewImage(path: "/photos/1.jpg")])
            let gallery = Gallery()
            gallery.set("http://nas", .away("http://nas"))
            gallery.silence("http://nas", true)
            let colors = colors()
            let loader = bench.loader(gallery, fetcher: gallery)
            // Pictures that are asked for at the same moment all meet a host of which nothing is known yet.
            let role = bench.enricher([colors], pictures: loader, prefetch: 1)
            try await bench.run(role.run) {
                try await passing(bench) {
                    let noted = try await bench.store.missingEnrichments()
                    guard noted == ["pictures of http://nas": 30] else { return false }
                    return try await bench.isEmpty(PostProcessing.enricher.queue)
                }
            }
            #expect(colors.calls.count == 1)
            #expect(try await bench.depth(PostProcessing.consensus.queue).waiting >= 31, "each is voted on without it")
            #expect(gallery.asked.count { $0.hasPrefix("http://nas/") } == 1)

            gallery.set("http://nas", nil)
            gallery.silence("http://nas", false)
            try await bench.run(role.run) {
                try await passing(bench) { try await bench.store.totals().postprocessing == 31 }
            }
            #expect(try await bench.store.missingEnrichments().isEmpty)
            #expect(try await bench.store.totals().failedPostprocessing == 0)
            #expect(colors.calls.count == images.count)
            #expect(loader.outages().isEmpty)
        }
    }

    @Test("what an enricher that is gone has noted is made up for by the next one")
    func notedBefore() async throws {
        try await Bench.with { bench in
            let images = try await merged(bench, [NewImage(path: "/mnt/nas/1.jpg")])
            let gallery = Gallery()
            gallery.set("/mnt/nas/", .away("/mnt/nas"))
            try await bench.run(
                PostProcessing.enricher.queue, bench.enricher([colors()], pictures: bench.loader(gallery)).run)
            #expect(try await bench.store.missingEnrichments() == ["pictures of /mnt/nas": 1])
            gallery.set("/mnt/nas/", nil)
            try await bench.run(bench.enricher([colors()], pictures: bench.loader(gallery)).run) {
                try await bench.store.totals().postprocessing == 1
            }
            #expect(try await bench.report(images[0]).findings.enrichments.map(\.status) == [.success])
        }
    }

    @Test("a picture that its host does not give for a moment is asked for again, and leaves no error")
    func moment() async throws {
        try await Bench.with { bench in
            let images = try await merged(bench, [NewImage(url: "http://nas/1.jpg")])
            let gallery = Gallery()
            gallery.fail("http://nas/1.jpg", [.stumble("http://nas")])
            let role = bench.enricher([colors()], pictures: bench.loader(gallery, fetcher: gallery))
            try await bench.run(PostProcessing.enricher.queue, role.run)
            #expect(try await bench.report(images[0]).findings.enrichments.map(\.status) == [.success])
        }
    }

    @Test("what is gone for good is asked about again only when somebody says so, and the counts tell")
    func askedAgain() async throws {
        try await Bench.with { bench in
            let images = try await merged(bench, [NewImage(path: "/photos/1.jpg")])
            let gallery = Gallery()
            gallery.set("/photos/", .gone)
            let colors = colors()
            for _ in 0..<2 {
                try await bench.trigger(.enricher, images)
                let role = bench.enricher([colors], pictures: bench.loader(gallery))
                try await bench.run(PostProcessing.enricher.queue, role.run)
            }
            #expect(gallery.asked.count == 1)
            let known = try await bench.store.images(images).values.map { $0 }
            func enrich() async throws -> RecomputationCounts {
                let enricher = bench.enrichment([colors], pictures: bench.loader(gallery), asksAgain: true)
                return try await Recomputation(enricher, queue: bench.queue).run(known)
            }
            let failed = try await enrich()
            #expect((failed.done, failed.askedAgain, failed.failed) == (1, 1, 1))
            gallery.set("/photos/", nil)
            let mended = try await enrich()
            #expect((mended.done, mended.askedAgain, mended.failed) == (1, 1, 0))
            #expect(try await enrich().askedAgain == 0)
            #expect(try await bench.report(images[0]).findings.enrichments.map(\.status) == [.success])
        }
    }
}
