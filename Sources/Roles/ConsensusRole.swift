import Foundation
import Harmony
import Model
import Pipeline
import Synchronization
import Waiting

/// Lets all services vote on what an image shows, whenever something about the image has changed.
public struct ConsensusRole: StageHandler {
    /// The class of each service's evidence.
    let evidence: [String: Evidence]
    let voting: VotingOptions
    let store: any ResultStore
    let time: any Timekeeper
    let events: EventStream
    private let admission: TriggerAdmission
    private let expected = ExpectedSources()

    package init(
        identity: RoleIdentity, evidence: [String: Evidence], voting: VotingOptions, store: any ResultStore,
        time: any Timekeeper, events: EventStream = .unheard
    ) {
        self.evidence = evidence
        self.voting = voting
        self.store = store
        self.time = time
        self.events = events
        admission = TriggerAdmission(identity: identity, store: store, time: time)
    }

    /// Triggers of one image are handled as one.
    public var coalesces: Bool { true }

    /// The role writes consensus rows.
    public var plainRow: PlainRow { .consensus }

    /// The image of the trigger.
    public func image(of work: TriggeredImage) -> ImageID { work.image.id }

    /// Admits the triggers.
    public func admit(_ deliveries: [Delivery]) async throws -> [Admission<ImageID, TriggeredImage>] {
        try await admission.admit(deliveries).map { admission in
            guard case .work(let key, var work) = admission else { return admission }
            work.sources = ConsensusRole.news(work.sources)
            return .work(key, work)
        }
    }

    /// If there is no box, the merger triggers the consensus itself, otherwise the enricher does. Either says that there is no
    /// more to come of the boxes.
    private static func news(_ sources: Set<String>) -> Set<String> {
        let roles: Set = [PostProcessing.merger.rawValue, PostProcessing.enricher.rawValue]
        guard !sources.isDisjoint(with: roles) else { return sources }
        return sources.subtracting(roles).union([PostProcessing.enricher.rawValue])
    }

    /// Adds whose news it is.
    public func add(_ other: TriggeredImage, to work: inout TriggeredImage) { work.sources.formUnion(other.sources) }

    /// Whether there usually is an answer of another service, or news about the boxes.
    public func expectsMore(_ work: TriggeredImage) -> Bool {
        expected.isMissing(from: work.sources, of: work.image.id)
    }

    /// Does nothing. The votes are counted inside the commit, from the newest rows.
    public func handle(_ work: TriggeredImage) async {}

    /// Writes the consensus of the group.
    public func commit(_ group: [(work: TriggeredImage, outcome: Void)]) async throws -> [Verdict] {
        var newest: [Date] = []
        for batch in batches(of: group.map(\.work.image)) { newest += try await update(batch) }
        // Not before: if a later batch fails, the whole group comes again.
        let now = time.now()
        expected.note(group.map(\.work), at: now)
        events.tell(.agreed(lags: newest.map { max(0, now.timeIntervalSince($0)) }))
        return group.map { _ in Verdict(.done) }
    }

    /// Votes on these images now.
    /// - Returns: when the newest answer of each image came.
    /// - Throws: `PortFault`.
    @discardableResult
    func update(_ images: [ImageID]) async throws -> [Date] {
        let (evidence, voting) = (evidence, voting)
        let newest = Mutex<[ImageID: Date]>([:])
        try await store.updateConsensus(of: images) { findings in
            // The last one counts: a transaction that is tried again reads the image again.
            newest.withLock { $0[findings.imageID] = findings.results.map(\.created).max() }
            let ballot = Ballot(
                results: findings.results, successes: findings.successes, boxes: findings.boxes,
                enrichments: findings.enrichments, evidence: evidence)
            return vote(ballot, options: voting).map { data in
                ConsensusRecord(data: data, processingTime: data["total_processing_time"]?.numberValue ?? 0)
            }
        }
        return newest.withLock { Array($0.values) }
    }
}
