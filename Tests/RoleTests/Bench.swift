import Doubles
import Embedded
import Foundation
import Harmony
import Logging
import Model
import Pipeline
import Roles
import Testing
import Waiting

/// A farm for tests: the embedded backend in a folder of its own, time that stands still, a cropper on paper.
final class Bench: Sendable {
    let time = ManualTime()
    let database: EmbeddedDatabase
    let queue: EmbeddedQueue
    let store: EmbeddedStore
    let heartbeats: EmbeddedHeartbeats
    let cropper: PaperCropper
    /// The store's circuit breaker.
    let gate: StoreGate
    /// When time began.
    let started: Date
    private let folder: URL

    /// - Parameter probe: in place of the store's own answer whether it takes a plain row.
    init(unreadable: Set<String> = [], probe: StoreGate.Probe? = nil) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "farm-roles-\(UUID().text)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        database = try await EmbeddedDatabase(path: folder.appending(path: "farm.db").path, time: time, log: Bench.log)
        queue = EmbeddedQueue(database)
        store = EmbeddedStore(database)
        heartbeats = EmbeddedHeartbeats(database)
        cropper = PaperCropper(unreadable: unreadable)
        started = time.now()
        let store = store
        gate = StoreGate(time: time, log: Bench.log, probe: probe ?? { try await store.probe($0, of: $1) })
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs `body` on a bench and closes it.
    static func with(
        unreadable: Set<String> = [], probe: StoreGate.Probe? = nil, _ body: (Bench) async throws -> Void
    ) async throws {
        let bench = try await Bench(unreadable: unreadable, probe: probe)
        do {
            try await body(bench)
            await bench.database.close()
        } catch {
            await bench.database.close()
            throw error
        }
    }

    // MARK: Input

    @discardableResult
    func addImages(_ count: Int, group: String? = nil) async throws -> [ImageID] {
        let images = (1...count).map { NewImage(filename: "\($0).jpg", path: "/photos/\($0).jpg", group: group) }
        return try await store.add(images, move: false).ids
    }

    func submit(_ service: String, _ images: [ImageID], jobID: UUID? = nil) async throws {
        let known = try await store.images(images)
        try await queue.publish(
            images.compactMap { known[$0] }.map { image in
                let job = Job(
                    image: image, service: service, queue: "queue_\(service)", jobID: jobID ?? UUID(), now: time.now())
                return Message(queue: job.queueName, body: job.body)
            })
    }

    func trigger(_ role: PostProcessing, _ images: [ImageID]) async throws {
        try await queue.publish(
            images.map { id in
                let trigger = Trigger(
                    imageID: id, imageFilename: nil, service: "test", workerID: "test", processedAt: time.now())
                return Message(queue: role.queue, body: trigger.body)
            })
    }

    /// Writes a successful result without any worker.
    func record(_ service: String, _ image: ImageID, _ predictions: [JSON]) async throws {
        let answer = Answer.of(service, predictions)
        try await store.record([
            AnalysisResult(
                imageID: image, service: service, data: answer.body, status: .success, processingTime: 0.01,
                workerID: "test",
                jobID: UUID())
        ])
    }

    // MARK: Roles

    /// Tries are made at once; a host or folder that is away is due again after a second.
    func loader(_ cropper: (any ImageCropper)? = nil, fetcher: any PictureFetcher = ShelfFetcher()) -> PictureLoader {
        PictureLoader(
            cropper: cropper ?? self.cropper, fetcher: fetcher, tries: PictureTries(limit: 3, delay: .zero), time: time,
            randomness: { 1 }, log: Bench.log)
    }

    func identity(_ service: String, _ worker: String = "") -> RoleIdentity {
        RoleIdentity(workerID: "\(service)_test\(worker)", serviceName: service, nodeHostname: "bench")
    }

    func options(_ queue: String, prefetch: Int = 4, activity: WorkerActivity = WorkerActivity()) -> StageOptions {
        StageOptions(
            queue: queue, workerID: "test", prefetch: prefetch, drainLimit: .seconds(7), store: gate, time: time,
            events: EventStream(EventSource(queue: queue), to: [activity]), log: Bench.log)
    }

    /// - Parameter store: in place of the bench's own.
    func worker(
        _ service: any AnalysisService, isDetector: Bool = false, transport: Transport = .auto,
        accepts: Set<PictureFormat> = PictureFormat.common, store: (any ResultStore)? = nil,
        pictures: PictureLoader? = nil
    ) -> Worker {
        let options = WorkerOptions(
            identity: identity(service.name), queue: "queue_\(service.name)", transport: transport,
            accepts: accepts, isDetector: isDetector)
        return Worker(
            options, service: service, store: store ?? self.store, pictures: pictures ?? loader(), time: time)
    }

    func stage(_ worker: Worker, _ service: String, prefetch: Int = 4) -> Stage<Worker> {
        Stage(options("queue_\(service)", prefetch: prefetch), queue: queue, handler: worker)
    }

    static let detectors = ["yolov8", "rtdetr", "detectron2"]

    func mergerHandler(log: Logger = Bench.log) -> Merger {
        Merger(
            identity: identity("bbox_merger"), detectors: Bench.detectors, merging: MergingOptions(), store: store,
            time: time, log: log)
    }

    var merger: Stage<Merger> {
        let merger = mergerHandler()
        return Stage(options(PostProcessing.merger.queue), queue: queue, handler: merger)
    }

    var consensusRole: Stage<ConsensusRole> {
        let consensusRole = ConsensusRole(
            identity: identity("consensus"), evidence: [:], voting: VotingOptions(), store: store, time: time)
        return Stage(options(PostProcessing.consensus.queue), queue: queue, handler: consensusRole)
    }

    func enrichment(
        _ services: [any AnalysisService], pictures: PictureLoader? = nil, asksAgain: Bool = false
    ) -> Enricher {
        Enricher(
            identity: identity("spatial_enrichment"), services: services, store: store, pictures: pictures ?? loader(),
            time: time, missing: BackfillSignal(), asksAgain: asksAgain)
    }

    func enricher(
        _ services: [any AnalysisService], pictures: PictureLoader? = nil, prefetch: Int = 4
    ) -> EnricherRole {
        EnricherRole(
            options(PostProcessing.enricher.queue, prefetch: prefetch),
            enricher: enrichment(services, pictures: pictures), queue: queue)
    }

    // MARK: Running

    /// Runs a role until `condition` holds, then drains it.
    func run(
        _ role: @escaping @Sendable (Drain) async throws -> Void, until condition: @escaping () async throws -> Bool
    ) async throws {
        let drain = Drain()
        async let running: Void = role(drain)
        try await eventually(condition)
        drain.begin()
        try await running
    }

    /// Runs a role until its queue is empty.
    func run(_ queue: String, _ role: @escaping @Sendable (Drain) async throws -> Void) async throws {
        try await run(role) { try await self.isEmpty(queue) }
    }

    func isEmpty(_ queue: String) async throws -> Bool {
        let depth = try await depth(queue)
        return depth.waiting == 0 && depth.inFlight == 0
    }

    func depth(_ queue: String) async throws -> QueueDepth {
        try #require(try await self.queue.depths(of: [queue]).first)
    }

    // MARK: Output

    func report(_ image: ImageID) async throws -> ImageReport {
        try #require(try await store.report(on: [image]).first)
    }

    /// The bodies that wait in a queue, taken and acknowledged.
    func drainedTriggers(_ role: PostProcessing) async throws -> [Trigger] {
        let count = try await depth(role.queue).waiting
        guard count > 0 else { return [] }
        let consumer = try await queue.consume(role.queue, prefetch: count)
        var triggers: [Trigger] = []
        while triggers.count < count {
            let deliveries = try await consumer.next(upTo: count)
            triggers += try deliveries.map { try Trigger(body: $0.body) }
            try await consumer.acknowledge(deliveries.map(\.receipt))
        }
        await consumer.close()
        return triggers
    }
}

/// Waits until a condition holds; five minutes are far more than anything here takes, also on a busy machine, so that only
/// ends what hangs.
func eventually(_ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(300)
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("what was waited for did not come within five minutes")
}
