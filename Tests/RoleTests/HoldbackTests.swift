import Doubles
import Foundation
import Harmony
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting

/// A test double of a role that gathers: three pieces of news are to be expected about each key, the letter before the number.
private final class NewsHandler: StageHandler {
    let committed = Mutex<[Set<String>]>([])

    let plainRow = PlainRow.consensus
    let coalesces = true

    func image(of work: Set<String>) -> ImageID { 1 }

    func admit(_ deliveries: [Delivery]) async throws -> [Admission<String, Set<String>>] {
        deliveries.map { delivery in
            let text = String(decoding: delivery.body, as: UTF8.self)
            return .work(String(text.prefix { $0 != ":" }), [text])
        }
    }

    func add(_ other: Set<String>, to work: inout Set<String>) { work.formUnion(other) }

    func expectsMore(_ work: Set<String>) -> Bool { work.count < 3 }

    func handle(_ work: Set<String>) async {}

    func commit(_ group: [(work: Set<String>, outcome: Void)]) async throws -> [Verdict] {
        committed.withLock { $0 += group.map(\.work) }
        return group.map { _ in Verdict(.done) }
    }

    var all: [Set<String>] { committed.withLock { $0 } }
}

@Suite("Work of which more is expected")
struct HoldbackTests {
    private let handler = NewsHandler()

    private func publish(_ bodies: [String], _ bench: Bench) async throws {
        try await bench.queue.publish(bodies.map { Message(queue: "q", body: Array($0.utf8)) })
    }

    private func news(_ keys: Range<Int>, _ number: Int) -> [String] { keys.map { "\($0):\(number)" } }

    private func running(_ bench: Bench, _ body: (Drain) async throws -> Void) async throws {
        var options = bench.options("q", prefetch: 512)
        options.gathers = true
        let stage = Stage(options, queue: bench.queue, handler: handler)
        let drain = Drain()
        async let running: Void = stage.run(drain)
        try await body(drain)
        drain.begin()
        try await running
    }

    @Test("is done at once where there is little to do")
    func little() async throws {
        try await Bench.with { bench in
            try await running(bench) { _ in
                try await publish(["a:1"], bench)
                try await eventually { handler.all.count == 1 }
            }
        }
    }

    @Test("is done at once when all is there, however much there is to do, and counts once")
    func complete() async throws {
        try await Bench.with { bench in
            try await running(bench) { _ in
                for number in 1...3 { try await publish(news(0..<40, number), bench) }
                try await eventually { try await bench.isEmpty("q") }
                #expect(handler.all.count == 40)
                #expect(handler.all.allSatisfy { $0.count == 3 })
            }
        }
    }

    @Test("waits for the rest while there is much to do, but not for long")
    func incomplete() async throws {
        try await Bench.with { bench in
            try await running(bench) { _ in
                try await publish(news(0..<40, 1), bench)
                try await eventually { try await bench.depth("q").inFlight == 40 }
                #expect(handler.all.isEmpty)
                let begin = bench.time.now()
                try await publish(news(0..<20, 2) + news(0..<20, 3), bench)
                try await eventually { handler.all.count == 20 }
                #expect(handler.all.allSatisfy { $0.count == 3 })
                bench.time.advance(by: .milliseconds(1700))
                #expect(handler.all.count == 20)
                try await eventually {
                    bench.time.advance(by: .milliseconds(2))
                    return try await bench.isEmpty("q")
                }
                #expect(handler.all.count == 40)
                // The clock goes on while the stage is under way.
                #expect(bench.time.now().timeIntervalSince(begin) < 30)
            }
        }
    }

    @Test("is done at most once a second for a key")
    func interval() async throws {
        try await Bench.with { bench in
            try await running(bench) { _ in
                try await publish(["a:1"], bench)
                try await eventually { try await bench.isEmpty("q") }
                try await publish(["a:2"], bench)
                try await eventually { try await bench.depth("q").inFlight == 1 }
                #expect(handler.all == [["a:1"]])
                let begin = bench.time.now()
                bench.time.advance(by: .milliseconds(950))
                #expect(handler.all == [["a:1"]])
                try await eventually {
                    bench.time.advance(by: .milliseconds(2))
                    return try await bench.isEmpty("q")
                }
                #expect(handler.all == [["a:1"], ["a:2"]])
                #expect(bench.time.now().timeIntervalSince(begin) < 30)
            }
        }
    }

    @Test("goes back to the queue when a drain begins")
    func drain() async throws {
        try await Bench.with { bench in
            try await running(bench) { _ in
                try await publish(news(0..<40, 1), bench)
                try await eventually { try await bench.depth("q").inFlight == 40 }
            }
            #expect(handler.all.isEmpty)
            #expect(try await bench.depth("q").waiting == 40)
        }
    }
}

@Suite("Whose news is expected about an image")
struct ExpectedSourcesTests {
    private func role(_ bench: Bench) -> ConsensusRole {
        ConsensusRole(
            identity: bench.identity("consensus"), evidence: [:], voting: VotingOptions(), store: bench.store,
            time: bench.time)
    }

    private func work(_ role: ConsensusRole, _ image: ImageID, _ sources: [String]) async throws -> TriggeredImage {
        let deliveries = sources.map { source in
            let trigger = Trigger(
                imageID: image, imageFilename: nil, service: source, workerID: "test", processedAt: Date())
            return Delivery(
                body: trigger.body, redelivered: false, receipt: Receipt(epoch: 0, tag: 0))
        }
        var works = try await role.admit(deliveries).compactMap { admission in
            if case .work(_, let work) = admission { work } else { nil }
        }
        var work = works.removeFirst()
        for other in works { role.add(other, to: &work) }
        return work
    }

    @Test("is learned from images about which there was no more; whether there are boxes does not matter")
    func learned() async throws {
        try await Bench.with { bench in
            let role = role(bench)
            let images = try await bench.addImages(12)
            let all = ["clip", "ocr", "spatial_enrichment"]
            // Nothing is known yet, so nothing is waited for.
            #expect(!role.expectsMore(try await work(role, images[0], ["clip"])))
            for image in images.prefix(10) {
                for source in all { _ = try await role.commit([(try await work(role, image, [source]), ())]) }
            }
            bench.time.advance(by: .seconds(4))
            _ = try await role.commit([(try await work(role, images[10], ["clip"]), ())])

            #expect(role.expectsMore(try await work(role, images[10], ["ocr"])))
            #expect(!role.expectsMore(try await work(role, images[10], ["ocr", "spatial_enrichment"])))
            #expect(!role.expectsMore(try await work(role, images[10], ["ocr", "bbox_merger"])))
            #expect(role.expectsMore(try await work(role, images[11], ["ocr", "bbox_merger"])))
        }
    }

    @Test("is named by a trigger that stands for several")
    func shared() async throws {
        try await Bench.with { bench in
            let role = role(bench)
            let image = try await bench.addImages(1)[0]
            let offers = SharedOffers(bench.queue)
            let queue = PostProcessing.consensus.queue
            let messages = ["clip", "ocr", "clip", "blip"].map { source in
                let trigger = Trigger(
                    imageID: image, imageFilename: nil, service: source, workerID: "test", processedAt: Date())
                return Message(queue: queue, body: trigger.body, triggers: image, source: source)
            }
            #expect(await offers.offer(messages).isEmpty)
            let consumer = try await bench.queue.consume(queue, prefetch: 10)
            let deliveries = try await consumer.next(upTo: 10)
            await consumer.close()
            #expect(deliveries.count == 1)
            #expect(try Trigger(body: #require(deliveries.first).body).service == "clip")
            #expect(deliveries.first?.headers["x-farm-sources"] == "blip,ocr")
            guard case .work(_, let work)? = try await role.admit(deliveries).first else {
                Issue.record("the trigger is not taken")
                return
            }
            #expect(work.sources == ["blip", "clip", "ocr"])
        }
    }
}
