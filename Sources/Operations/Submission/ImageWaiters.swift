import Foundation
import Model
import Pipeline
import Waiting

/// Tells when images are done. The store is asked once for all who wait, however many they are, and not at all while
/// nobody waits. A question that takes long is asked less often.
package actor ImageWaiters {
    /// How waiting ended.
    package enum End: Sendable, Equatable {
        case reached
        case timedOut
        /// Nobody waited, since too many wait already.
        case refused
    }

    private struct Waiter {
        var image: ImageID
        var services: Set<String>
        var jobs: [UUID]
        var goal: ImageGoal
        var deadline: Date
        var continuation: CheckedContinuation<End, Never>
    }

    /// The time between two questions.
    private static let interval = Duration.milliseconds(250)
    /// After a question, none is asked for this many times as long as it took.
    private static let restPerQuestion = 10.0
    /// How many images are read at a time, since much may be known of each.
    private static let imagesPerReport = 64

    private let parts: any ReadingParts
    private let time: any Timekeeper
    private let limit: Int
    private var waiters: [Int: Waiter] = [:]
    private var lastID = 0
    private var loop: Task<Void, Never>?
    private var isClosed = false

    /// - Parameter limit: of those that wait at the same time.
    package init(_ parts: any ReadingParts, time: any Timekeeper, limit: Int = 256) {
        self.parts = parts
        self.time = time
        self.limit = limit
    }

    /// Returns when the goal is reached, the time is over, or the task is cancelled.
    /// - Parameter jobs: must have rows, too: services that answered before may have been asked once more.
    package func wait(
        for image: ImageID, services: [String], jobs: [UUID] = [], goal: ImageGoal, upTo duration: Duration
    ) async -> End {
        guard waiters.count < limit, !isClosed else { return .refused }
        lastID += 1
        let id = lastID
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(returning: .timedOut) }
                waiters[id] = Waiter(
                    image: image, services: Set(services), jobs: jobs, goal: goal,
                    deadline: time.now().addingTimeInterval(duration.seconds), continuation: continuation)
                if loop == nil { loop = Task { await run() } }
            }
        } onCancel: {
            Task { await self.end(id, .timedOut) }
        }
    }

    /// How many wait.
    package var count: Int { waiters.count }

    /// Ends all waits, and refuses those that come.
    func close() {
        isClosed = true
        for id in Array(waiters.keys) { end(id, .refused) }
    }

    private func end(_ id: Int, _ end: End) { waiters.removeValue(forKey: id)?.continuation.resume(returning: end) }

    private func run() async {
        while !waiters.isEmpty {
            let begin = time.now()
            let ids = Array(waiters.keys)
            // A store that is away for a while may be back before their time is over.
            for id in (try? await reached(among: ids)) ?? [] { end(id, .reached) }
            let now = time.now()
            for (id, waiter) in waiters where waiter.deadline <= now { end(id, .timedOut) }
            let took = Duration.seconds(max(0, now.timeIntervalSince(begin)))
            let rest = max(ImageWaiters.interval, took * ImageWaiters.restPerQuestion)
            let next = waiters.values.map { $0.deadline.timeIntervalSince(now) }.min() ?? 0
            try? await time.sleep(min(rest, .seconds(max(0.01, next))))
        }
        loop = nil
    }

    private func reached(among ids: [Int]) async throws -> [Int] {
        let asked = ids.compactMap { id in waiters[id].map { (id: id, waiter: $0) } }
        let store = try await parts.store()
        let images = Set(asked.map(\.waiter.image)).sorted()
        let services = asked.reduce(into: Set<String>()) { $0.formUnion($1.waiter.services) }.sorted()
        let filter = ImageFilter(ids: images, lacking: services, answers: .newer(than: 0))
        let lacking = Dictionary(
            try await store.images(filter, after: 0, limit: images.count).map { ($0.image.id, Set($0.lacking)) }
        ) { $1 }
        let answered = asked.filter { lacking[$0.waiter.image]?.isDisjoint(with: $0.waiter.services) ?? true }
        let open = try await ImageWaiters.open(answered.map(\.waiter), store)
        let recorded = answered.filter { open.isDisjoint(with: $0.waiter.jobs) }
        let voted = Set(recorded.filter { $0.waiter.goal == .consensus }.map(\.waiter.image)).sorted()
        let agreed = try await ImageWaiters.agreed(voted, store)
        return recorded.filter { $0.waiter.goal == .primary || agreed.contains($0.waiter.image) }.map(\.id)
    }

    /// The jobs that are waited for and have no row.
    private static func open(_ waiters: [Waiter], _ store: Store) async throws -> Set<UUID> {
        let keys = waiters.flatMap { waiter in
            waiter.jobs.map { JobKey(imageID: waiter.image, jobID: $0, redelivered: false) }
        }
        guard !keys.isEmpty else { return [] }
        let standings = try await store.standing(of: keys, workerID: "")
        return Set(zip(keys, standings).compactMap { if case .open = $1 { $0.jobID } else { nil } })
    }

    /// The images whose consensus rests on their newest rows. One that was removed meanwhile is waited for no longer.
    private static func agreed(_ images: [ImageID], _ store: Store) async throws -> Set<ImageID> {
        var agreed = Set(images)
        for start in stride(from: 0, to: images.count, by: imagesPerReport) {
            let some = images[start..<min(start + imagesPerReport, images.count)]
            let reports = try await store.report(on: Array(some))
            agreed.subtract(
                reports.filter { !ImageAnalysis($0, expecting: []).hasNewestConsensus }.map(\.image.id))
        }
        return agreed
    }
}
