import Doubles
import Foundation
import Logging
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting

@Suite("The producer")
struct ProducerTests {
    private let targets = [Target(service: "clip", queue: "queue_clip"), Target(service: "blip", queue: "queue_blip")]

    private func produce(_ bench: Bench, _ options: ProducerOptions) async throws -> ProducerCounts {
        try await producer(bench).run(options, drain: Drain()) { _ in }
    }

    private func producer(
        _ bench: Bench, queue: (any JobQueue)? = nil, log: Logger = Bench.log
    ) -> Producer {
        Producer(catalogue: bench.store, queue: queue ?? bench.queue, time: bench.time, log: log)
    }

    @Test("submits every image × service once, in order, also over several pages")
    func submits() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1203)
            let counts = try await produce(bench, ProducerOptions(targets: targets, filter: ImageFilter()))
            #expect(counts.images == 1203)
            #expect(counts.jobs == 2406)
            let consumer = try await bench.queue.consume("queue_clip", prefetch: 2000)
            var jobs: [Job] = []
            while jobs.count < images.count {
                jobs += try await consumer.next(upTo: 2000).map {
                    try Job(body: $0.body, queue: "queue_clip", service: "clip")
                }
            }
            await consumer.close()
            #expect(jobs.map(\.imageID) == images)
            #expect(Set(jobs.map(\.jobID)).count == images.count)
            #expect(jobs.first?.imagePath == "/photos/1.jpg")
        }
    }

    @Test("the limit counts images, the group chooses them")
    func limits() async throws {
        try await Bench.with { bench in
            try await bench.addImages(5, group: "a")
            let options = ProducerOptions(targets: targets, filter: ImageFilter(group: "a"), limit: 3)
            #expect(try await produce(bench, options).jobs == 6)
            #expect(
                try await produce(bench, ProducerOptions(targets: targets, filter: ImageFilter(group: "b"))).jobs == 0)
            #expect(try await bench.depth("queue_clip").waiting == 3)
        }
    }

    @Test("an image counts once the last of its jobs is out")
    func countsImages() async throws {
        try await Bench.with { bench in
            try await bench.addImages(2)
            let seen = Mutex<[ProducerCounts]>([])
            let drain = Drain()
            _ = try await Producer(
                catalogue: bench.store, queue: bench.queue, time: SystemTime(), log: Bench.log
            ).run(
                ProducerOptions(targets: targets, filter: ImageFilter(), delay: .milliseconds(1)), drain: drain
            ) { counts in
                seen.withLock { $0.append(counts) }
                if counts.jobs == 3 { drain.begin() }
            }
            #expect(seen.withLock { $0.map(\.jobs) } == [1, 2, 3])
            #expect(seen.withLock { $0.map(\.images) } == [0, 1, 1])
        }
    }

    @Test("resuming submits only what has no successful result")
    func resumes() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(3)
            try await bench.record("clip", images[0], [])
            try await bench.record("blip", images[0], [])
            try await bench.record("clip", images[1], [])
            let filter = ImageFilter(lacking: ["clip", "blip"])
            let counts = try await produce(bench, ProducerOptions(targets: targets, filter: filter, limit: 2))
            #expect(counts.images == 2)
            #expect(counts.jobs == 3)
            #expect(try await bench.depth("queue_clip").waiting == 1)
            #expect(try await bench.depth("queue_blip").waiting == 2)
        }
    }

    @Test("waits for a broker that takes nothing for ten minutes, and says so once")
    func waits() async throws {
        try await Bench.with { bench in
            try await bench.addImages(3)
            let queue = BlockedQueue(bench.queue)
            let said = SaidLines()
            let producing = Task {
                try await producer(bench, queue: queue, log: said.logger)
                    .run(ProducerOptions(targets: targets, filter: ImageFilter()), drain: Drain()) { _ in }
            }
            for _ in 0..<120 {
                await bench.time.sleepers(1)
                bench.time.advance(by: .seconds(5))
            }
            await bench.time.sleepers(1)
            #expect(
                said.lines == ["submitting to queue_blip, queue_clip failed, trying again: broker: short of memory"])
            queue.unblock()
            bench.time.advance(by: .seconds(5))
            #expect(try await producing.value.jobs == 6)
            #expect(said.lines.count == 2)
            #expect(try await bench.depth("queue_clip").waiting == 3)
        }
    }

    @Test("a full queue holds up no other; what it waits for is told, and nothing is sent twice")
    func fullQueue() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1203)
            let queue = PickyQueue(bench.queue, refusing: "queue_clip", room: 100)
            let counts = Mutex(ProducerCounts())
            let producing = Task {
                try await producer(bench, queue: queue).run(
                    ProducerOptions(targets: targets, filter: ImageFilter(), limit: 1200), drain: Drain()
                ) { new in counts.withLock { $0 = new } }
            }
            try await eventually {
                bench.time.advance(by: .seconds(1))
                return counts.withLock { $0.jobs } == 1300
            }
            #expect(try await bench.depth("queue_blip").waiting == 1200)
            #expect(try await bench.depth("queue_clip").waiting == 100)
            #expect(counts.withLock { $0.images } == 100)
            #expect(
                counts.withLock { $0.waiting }
                    == [WaitingQueue(queue: "queue_clip", jobs: 400, cause: "broker: full")])
            queue.takeAll()
            try await eventually {
                bench.time.advance(by: .seconds(5))
                return counts.withLock { $0.jobs } == 2400
            }
            let last = try await producing.value
            #expect(last.images == 1200)
            #expect(last.lastImage == images[1199])
            #expect(last.waiting.isEmpty)
            #expect(try await bench.depth("queue_blip").waiting == 1200)
            let consumer = try await bench.queue.consume("queue_clip", prefetch: 2000)
            var jobs: [Job] = []
            while jobs.count < 1200 {
                jobs += try await consumer.next(upTo: 2000).map {
                    try Job(body: $0.body, queue: "queue_clip", service: "clip")
                }
            }
            #expect(jobs.map(\.imageID) == Array(images.prefix(1200)), "each image once, in order")
            await consumer.close()
        }
    }

    @Test("what is in when a drain ends it is counted, and what a queue did not take is told")
    func drainsAtFullQueue() async throws {
        try await Bench.with { bench in
            try await bench.addImages(30)
            let queue = PickyQueue(bench.queue, refusing: "queue_clip", room: 7)
            let drain = Drain()
            let producing = Task {
                try await producer(bench, queue: queue)
                    .run(ProducerOptions(targets: targets, filter: ImageFilter()), drain: drain) { _ in }
            }
            await bench.time.sleepers(1)
            drain.begin()
            let counts = try await producing.value
            #expect(counts.jobs == 37)
            #expect(counts.images == 7)
            #expect(counts.waiting.map(\.jobs) == [23])
        }
    }

    @Test("ends at a drain while it waits for the broker")
    func drains() async throws {
        try await Bench.with { bench in
            try await bench.addImages(3)
            let drain = Drain()
            let producing = Task {
                try await producer(bench, queue: BlockedQueue(bench.queue))
                    .run(ProducerOptions(targets: targets, filter: ImageFilter()), drain: drain) { _ in }
            }
            await bench.time.sleepers(1)
            drain.begin()
            #expect(try await producing.value.jobs == 0)
        }
    }
}

/// A test double of a broker that takes no messages until it is told to.
private final class BlockedQueue: JobQueue {
    private let queue: any JobQueue
    private let isBlocked = Mutex(true)

    init(_ queue: any JobQueue) { self.queue = queue }

    func unblock() { isBlocked.withLock { $0 = false } }

    func offer(_ messages: [Message]) async -> [Unpublished] {
        guard !isBlocked.withLock({ $0 }) else {
            return .all(
                of: messages, PortFault(.transient, place: "broker", message: "short of memory"), place: "broker")
        }
        return await queue.offer(messages)
    }

    func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await self.queue.consume(queue, prefetch: prefetch)
    }
}

@Suite("The whole pipeline")
struct PipelineTests {
    @Test("from a photo to a consensus that rests on everything")
    func wholeWay() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(10)
            let person = detection("person", "🧑", 0.9, Box(x: 100, y: 100, width: 200, height: 400))
            let detectors = Bench.detectors.map { ScriptedService($0, predictions: [person]) }
            let clip = ScriptedService("clip", predictions: [.object(["emoji": "🧑", "label": "man"])])
            let face = ScriptedService(
                "face", predictions: [.object(["emoji": "🙂", "label": "face", "confidence": 0.9])])
            let pose = ScriptedService("pose", predictions: [.object(["landmarks": .object([])])])
            let colors = ScriptedService("colors", predictions: [.object(["type": "color_analysis"])])
            let workers = detectors + [clip, colors]
            for service in workers { try await bench.submit(service.name, images) }
            let roles: [@Sendable (Drain) async throws -> Void] =
                workers.map {
                    bench.stage(bench.worker($0, isDetector: Bench.detectors.contains($0.name)), $0.name).run
                }
                + [bench.merger.run, bench.enricher([face, pose, colors]).run, bench.consensusRole.run]

            try await bench.run { drain in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for role in roles { group.addTask { try await role(drain) } }
                    for try await _ in group {}
                }
            } until: {
                for queue in workers.map({ "queue_\($0.name)" }) + PostProcessing.allCases.map(\.queue) {
                    guard try await bench.isEmpty(queue) else { return false }
                }
                return try await bench.store.imagesWithStaleConsensus(limit: 1).isEmpty
            }

            for image in images {
                let report = try await bench.report(image)
                #expect(report.findings.results.count == 5)
                #expect(report.findings.boxes.compactMap(\.box).map(\.detections.count) == [3])
                #expect(report.findings.enrichments.count == 3)
                let vote = report.consensus?["votes"]?["consensus"]?.arrayValue?.first
                #expect(vote?["emoji"] == "🧑")
                #expect(vote?["votes"] == 4)
                #expect(vote?["validation"] == ["face_confirmed", "pose_confirmed"])
            }
            let totals = try await bench.store.totals()
            #expect(totals == Totals(images: 10, results: 50, mergedBoxes: 10, consensus: 10, postprocessing: 30))
        }
    }
}
