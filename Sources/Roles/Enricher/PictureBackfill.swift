import Foundation
import Model
import Pipeline
import Waiting

/// When a host or folder of pictures is back, triggers the images again that had to wait for it.
struct PictureBackfill: Sendable {
    /// Pairs may also have been noted by an enricher that has ended.
    private static let recheck = Duration.seconds(60)
    private static let page = 500

    /// How many of a source's images have been triggered.
    private struct Progress {
        var after: ImageID = 0
        /// The chance that was used to trigger one image.
        var chance: Int?
    }

    let identity: RoleIdentity
    let pictures: PictureLoader
    let store: any ResultStore
    let queue: any JobQueue
    let signal: BackfillSignal
    /// The store's circuit breaker.
    let gate: StoreGate
    /// What operators have set for the enricher.
    let control: ControlGate
    let time: any Timekeeper

    /// Runs until it is cancelled.
    /// - Throws: `PortFault`, `CancellationError`.
    func run() async throws {
        var sources: [String: Progress] = [:]
        var known: Set<String> = []
        var rechecked = Date.distantPast
        while true {
            try Task.checkCancellation()
            // During a pause of the enricher, nobody would take the triggers, and each look would add more.
            try await control.pass()
            // Read before the look, so that a commit meanwhile is not waited for.
            let seen = signal.commits
            let now = time.now()
            if abs(now.timeIntervalSince(rechecked)) >= PictureBackfill.recheck.seconds {
                sources = [:]
                let names = try await gate.asking(.enrichment) { try await store.servicesOfMissingEnrichments() }
                known = Set(names.filter(PictureLoader.isSource))
                rechecked = now
            }
            known.formUnion(signal.names.filter(PictureLoader.isSource))
            var wait = PictureBackfill.recheck
            for source in known {
                wait = min(wait, try await look(at: source, &sources[source, default: Progress()]))
            }
            try await pause(wait, since: seen)
        }
    }

    /// - Returns: how long until the next look, unless a group is committed before.
    private func look(at source: String, _ progress: inout Progress) async throws -> Duration {
        switch pictures.due(source) {
        case .later(let date):
            // What was triggered has been noted again, so it starts over.
            if progress.chance == nil { progress.after = 0 }
            return .seconds(max(0.001, date.timeIntervalSince(time.now())))
        case .one(let chance):
            guard progress.chance != chance else { return PictureBackfill.recheck }
            progress.chance = chance
            // Not the same image each time: it may be the only one that is not available.
            if try await trigger(source, &progress, limit: 1) == 0 {
                progress.after = 0
                _ = try await trigger(source, &progress, limit: 1)
            }
        case .all:
            if progress.chance != nil { progress = Progress() }
            while try await trigger(source, &progress, limit: PictureBackfill.page) > 0 {}
        }
        return PictureBackfill.recheck
    }

    /// - Returns: how many images were triggered.
    private func trigger(_ source: String, _ progress: inout Progress, limit: Int) async throws -> Int {
        let after = progress.after
        let images = try await gate.asking(.enrichment) {
            try await store.imagesMissingEnrichments(of: [source], after: after, limit: limit)
        }
        guard let last = images.last else { return 0 }
        try await queue.publish(images.map { identity.trigger(.enricher, image: Image(id: $0), at: time.now()) })
        progress.after = last
        return images.count
    }

    private func pause(_ wait: Duration, since commits: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await signal.commit(since: commits) }
            group.addTask { try await time.sleep(wait) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
