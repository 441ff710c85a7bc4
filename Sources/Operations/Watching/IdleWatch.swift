import Foundation
import Logging
import Model
import Pipeline
import Waiting

/// Waits until every job of the queues served here has its row, and each consensus is newer than what it is based on.
package struct IdleWatch: Sendable {
    /// How far the work is.
    package struct Standing: Sendable {
        /// Jobs of the services that wait or are in flight.
        package var jobs = 0
        /// All messages that wait, including triggers.
        package var waiting = 0
        /// Messages that somebody has taken.
        package var inFlight = 0
        /// The services and roles whose messages wait and, as far as the queue tells, are not being consumed.
        package var waited: [String] = []
        /// Whether `inFlight` is complete.
        var isExact = true
        /// Services that are down, with the reason.
        package var outages: [String: String] = [:]
        /// Boxes that wait for a service that was down, by service.
        package var missing: [String: Int] = [:]
        /// Whether the store takes no rows, so that nothing moves.
        package var isRefused = false
        /// Services and roles that work waits for and that an operator has paused, sorted.
        package var paused: [String] = []
    }

    /// What is remembered from one look to the next.
    private struct Memory {
        var triggered: Set<ImageID> = []
        var missing: [String: Int] = [:]
        /// What is said about queues whose pictures are away. While jobs go back to the queue, no two counts are the
        /// same.
        var away: [String: String] = [:]
        /// Since when boxes are missing.
        var since: Date
        var pauses = PauseNotice()
    }

    /// The time between two looks. Progress is shown at this rate anyway, and the next look shows the end.
    private static let interval = Duration.milliseconds(100)

    /// How many looks in a row must find nothing. Between two steps of a role nothing may wait for a moment; if
    /// messages in flight elsewhere are not known, this may take longer.
    private static let quietLooks = 10

    private static let page = 500

    /// An enricher asks again every 15 s at most for a service that is down. If boxes are missing for longer, it does
    /// not get their answers.
    private static let othersPatience: TimeInterval = 30

    let queue: Queue
    let store: Store
    let time: any Timekeeper
    let log: Logger
    /// The queue of each service whose jobs are waited for.
    let queues: [(service: String, queue: String)]
    /// The roles whose work is waited for.
    let roles: [PostProcessing]
    /// The jobs whose rows are waited for, in addition to what the queues report.
    let submission: SubmittedJobs?
    /// Services that cannot answer now, with the reason.
    let outages: @Sendable () async -> [String: String]
    /// Whether `outages` knows a service. Only other machines may know its address.
    let knows: @Sendable (String) -> Bool
    /// Why the store takes no rows, if somebody has to mend it.
    let refusal: @Sendable () async -> PortFault?
    /// The jobs that go back to their queue because their pictures are away, by service: at least this many in a row,
    /// and why.
    let postponed: @Sendable () -> [String: (jobs: Int, reason: String)]
    /// The crop services that the enricher here uses. Boxes that wait for another one are not handled here. nil for
    /// any.
    let cropServices: [String]?
    let progress: @Sendable (Standing) async throws -> Void

    /// What is waited for, and what explains why it does not come.
    package init(
        queue: Queue, store: Store, time: any Timekeeper, log: Logger, queues: [(service: String, queue: String)],
        roles: [PostProcessing], submission: SubmittedJobs? = nil,
        outages: @escaping @Sendable () async -> [String: String],
        knows: @escaping @Sendable (String) -> Bool = { _ in true },
        refusal: @escaping @Sendable () async -> PortFault?,
        postponed: @escaping @Sendable () -> [String: (jobs: Int, reason: String)] = { [:] },
        cropServices: [String]? = nil, progress: @escaping @Sendable (Standing) async throws -> Void
    ) {
        self.queue = queue
        self.store = store
        self.time = time
        self.log = log
        self.queues = queues
        self.roles = roles
        self.submission = submission
        self.outages = outages
        self.knows = knows
        self.refusal = refusal
        self.postponed = postponed
        self.cropServices = cropServices
        self.progress = progress
    }

    /// Waits for servers that are away, as roles do.
    /// - Returns: what is left undone because a service is down or the store takes no rows, one line for each.
    /// - Throws: `PortFault` for a fault that does not pass by itself, `CancellationError`.
    package func run() async throws -> [String] {
        let retry = Retry(time: time, log: log)
        try await retry.run("declaring the queues") {
            try await queue.declare(queues.map(\.queue) + roles.map(\.queue))
        }
        var undoneBefore: [String]?
        var quietLooks = 0
        var memory = Memory(since: time.now())
        while true {
            let (standing, undone) = try await retry.run("watching the work") { try await look(&memory) }
            try await progress(standing)
            quietLooks = undone != nil && undone == undoneBefore ? quietLooks + 1 : 0
            if let undone, quietLooks >= (standing.isExact ? 1 : IdleWatch.quietLooks) { return undone }
            undoneBefore = undone
            try await time.sleep(IdleWatch.interval)
        }
    }

    /// - Returns: the standing, and what is left undone if nothing more can happen; nil while work goes on.
    private func look(_ memory: inout Memory) async throws -> (Standing, undone: [String]?) {
        let depths = try await queue.depths(of: queues.map(\.queue) + roles.map(\.queue))
        let outages = await outages()
        let names = queues.map(\.service) + roles.map(\.rawValue)
        var standing = Standing(
            jobs: depths.prefix(queues.count).reduce(0) { $0 + $1.waiting + $1.knownInFlight },
            waiting: depths.reduce(0) { $0 + $1.waiting }, inFlight: depths.reduce(0) { $0 + $1.knownInFlight },
            waited: zip(names, depths).filter { $1.waiting > 0 && $1.consumers ?? 0 == 0 }.map(\.0),
            isExact: depths.allSatisfy { $0.inFlight != nil }, outages: outages)
        await submission?.saw(
            depths.prefix(queues.count), isUnderWay: standing.waiting + standing.inFlight > 0)
        // A broker does not tell what workers have in hand.
        if submission != nil, !standing.isExact { standing.jobs = max(standing.jobs, 1) }
        let before = memory.away
        let away = Dictionary(uniqueKeysWithValues: awayPictures(depths).map { ($0, before[$0] ?? $1) })
        memory.away = away
        let refusal = standing.waiting > 0 ? await refusal().map { "the store takes no rows: \($0)" } : nil
        standing.isRefused = refusal != nil
        standing.paused = await memory.pauses.look(
            at: zip(names, depths).filter { $1.waiting > 0 }.map(\.0) + memory.missing.keys, in: store, log, time)
        guard depths.allSatisfy({ $0.knownInFlight == 0 || away[$0.queue] != nil }) else { return (standing, nil) }
        var undone = away.sorted { $0.key < $1.key }.map(\.value)
        for (name, depth) in zip(names, depths) where depth.waiting > 0 && away[depth.queue] == nil {
            guard let reason = refusal ?? outages[name] else { return (standing, nil) }
            let what = PostProcessing(rawValue: name) == nil ? "job" : "trigger"
            undone.append("\(counted(depth.waiting, what)) of \(name) still waiting: \(reason)")
        }
        // Nothing more will be written, whatever is missing.
        if refusal != nil { return (standing, undone) }
        // A broker does not tell what other processes have in flight, and no queue tells what was dropped, so rows are
        // waited for.
        if undone.isEmpty, let submission {
            switch try await submission.state(isExact: standing.isExact) {
            case .done: standing.jobs = 0
            case .open: return (standing, nil)
            case .lost(let what): undone.append(what)
            }
        }
        if roles.contains(.enricher) {
            guard let missing = try await missingBoxes(&standing, &memory) else { return (standing, nil) }
            undone += missing
        }
        if roles.contains(.consensus) {
            guard let stale = try await staleImages(&memory) else { return (standing, nil) }
            undone += stale
        }
        return (standing, undone)
    }

    /// - Returns: boxes that nobody will get an answer for, one line for each service. nil while somebody may.
    private func missingBoxes(_ standing: inout Standing, _ memory: inout Memory) async throws -> [String]? {
        standing.missing = try await store.missingEnrichments().filter { name, _ in
            cropServices?.contains(name) ?? true || !Enrichment.services.contains(name)
        }
        if standing.missing != memory.missing { (memory.missing, memory.since) = (standing.missing, time.now()) }
        var lines: [String] = []
        for (service, count) in standing.missing.sorted(by: { $0.key < $1.key }) {
            guard let outage = standing.outages[service] ?? othersOutage(service, memory) else { return nil }
            lines.append("\(counted(count, "box")) without \(service): \(outage)")
        }
        return lines
    }

    /// - Returns: one line about images whose triggers were taken and which still lack a consensus. nil if there were
    ///   some to trigger.
    private func staleImages(_ memory: inout Memory) async throws -> [String]? {
        let stale = try await store.imagesWithStaleConsensus(limit: IdleWatch.page)
        let news = stale.filter { !memory.triggered.contains($0) }
        guard news.isEmpty else {
            try await trigger(news)
            memory.triggered.formUnion(news)
            return nil
        }
        return stale.isEmpty ? [] : ["\(counted(stale.count, "image")) without a consensus of all that is there"]
    }

    /// Queues all of whose jobs have come again since one of them had its picture, with what is to be said about them.
    /// A job that goes back is now in hand, now waiting.
    private func awayPictures(_ depths: [QueueDepth]) -> [String: String] {
        let postponed = postponed()
        guard !postponed.isEmpty else { return [:] }
        return zip(queues, depths).reduce(into: [:]) { away, item in
            let left = item.1.waiting + item.1.knownInFlight
            guard left > 0, let row = postponed[item.0.service], row.jobs >= left else { return }
            away[item.1.queue] = "\(counted(left, "job")) of \(item.0.service) still waiting: \(row.reason)"
        }
    }

    private func othersOutage(_ service: String, _ memory: Memory) -> String? {
        guard !knows(service), time.now().timeIntervalSince(memory.since) > IdleWatch.othersPatience else { return nil }
        return "it is down for the machine that enriches"
    }

    /// Nothing is on its way any more, so nobody published triggers for these images: another program has written their
    /// rows.
    private func trigger(_ images: [ImageID]) async throws {
        let triggers = images.map { id in
            let trigger = Trigger(
                imageID: id, imageFilename: nil, service: PostProcessing.consensus.rawValue, workerID: "",
                processedAt: time.now())
            return Message(queue: PostProcessing.consensus.queue, body: trigger.body)
        }
        try await Retry(time: time, log: log).publish(
            "asking for \(images.count) consensuses", triggers, to: queue)
    }
}
