import Harmony
import Logging
import Model
import Pipeline
import Waiting

/// Fuses the boxes of an image whenever one of its detectors has answered.
public struct Merger: StageHandler {
    let identity: RoleIdentity
    /// Services whose evidence is spatial.
    let detectors: [String]
    let merging: MergingOptions
    let store: any ResultStore
    let time: any Timekeeper
    let log: Logger
    let events: EventStream
    private let admission: TriggerAdmission
    private let expected = ExpectedSources()

    package init(
        identity: RoleIdentity, detectors: [String], merging: MergingOptions, store: any ResultStore,
        time: any Timekeeper, log: Logger, events: EventStream = .unheard
    ) {
        self.identity = identity
        self.detectors = detectors
        self.merging = merging
        self.store = store
        self.time = time
        self.log = log
        self.events = events
        admission = TriggerAdmission(identity: identity, store: store, time: time)
    }

    /// Triggers of one image are handled as one.
    public var coalesces: Bool { true }

    /// The merger writes boxes.
    public var plainRow: PlainRow { .box(workerID: identity.workerID) }

    /// The image of the trigger.
    public func image(of work: TriggeredImage) -> ImageID { work.image.id }

    /// Admits the triggers.
    public func admit(_ deliveries: [Delivery]) async throws -> [Admission<ImageID, TriggeredImage>] {
        try await admission.admit(deliveries)
    }

    /// Adds whose news it is.
    public func add(_ other: TriggeredImage, to work: inout TriggeredImage) { work.sources.formUnion(other.sources) }

    /// Whether other detectors have usually answered, too.
    public func expectsMore(_ work: TriggeredImage) -> Bool {
        expected.isMissing(from: work.sources, of: work.image.id)
    }

    /// Does nothing. The boxes are computed inside the commit, from the newest rows.
    public func handle(_ work: TriggeredImage) async {}

    /// Writes the boxes of the group.
    public func commit(_ group: [(work: TriggeredImage, outcome: Void)]) async throws -> [Verdict] {
        let counts = try await update(group.map(\.work.image))
        expected.note(group.map(\.work), at: time.now())
        return group.map { work, _ in
            let image = work.image
            // An image without a box has nothing to enrich.
            let next: PostProcessing = counts[image.id, default: 0] > 0 ? .enricher : .consensus
            return Verdict(.done, publish: [identity.trigger(next, image: image, at: time.now())])
        }
    }

    /// Merges these images now.
    /// - Returns: how many boxes each image has.
    /// - Throws: `PortFault`.
    func update(_ images: [Image]) async throws -> [ImageID: Int] {
        let merging = merging
        let tally = PredictionTally()
        var counts: [ImageID: Int] = [:]
        for batch in batches(of: images) {
            let changed = try await store.updateBoxes(of: batch, from: detectors, workerID: identity.workerID) {
                results, stored in
                let answers = results.map { DetectorAnswer(resultID: $0.resultID, service: $0.service, data: $0.data) }
                let fusion = fuse(answers, options: merging)
                if let image = results.first?.imageID { tally.note(image, fusion) }
                return reconcile(stored: stored, fused: fusion.boxes, keepIoU: merging.keepIoU)
            }
            counts.merge(changed) { _, new in new }
        }
        tally.tell(log)
        events.tell(.merged(tally.counts))
        return counts
    }
}

/// The ids of the images. A group may have several triggers of one image.
func distinct(_ images: [Image]) -> [ImageID] { Set(images.map(\.id)).sorted() }

/// Distinct images, in batches whose rows fit into memory together.
func batches(of images: [Image]) -> [[ImageID]] {
    let (size, ids) = (32, distinct(images))
    return stride(from: 0, to: ids.count, by: size).map { Array(ids[$0..<min($0 + size, ids.count)]) }
}
