import Harmony
import Logging
import Model
import Pipeline
import Waiting

/// Keeps the index of images up to date, as long as somebody looks at images: roles know nothing of it. Several processes may do
/// so at once.
package struct ImageIndexer: Sendable {
    /// Rows that are looked at in a step.
    private static let stepSize = 400
    /// Before it looks again when nothing has come in.
    private static let pause = Duration.seconds(1)

    let store: any ImageIndexing
    let rules: ReadingRules
    let time: any Timekeeper
    let log: Logger

    /// An indexer of this store.
    package init(store: any ImageIndexing, rules: ReadingRules, time: any Timekeeper, log: Logger) {
        self.store = store
        self.rules = rules
        self.time = time
        self.log = log
    }

    /// Follows the tables until the task is cancelled. A store that is away is waited for.
    /// - Throws: `CancellationError`.
    package func run() async throws {
        var backOff = BackOff(base: .seconds(1), limit: .seconds(60))
        var isTold = false
        while true {
            do {
                let isBehind = try await step()
                if isTold { log.notice("images are indexed again") }
                (isTold, backOff) = (false, BackOff(base: .seconds(1), limit: .seconds(60)))
                if isBehind { await Task.yield() } else { try await time.sleep(ImageIndexer.pause) }
            } catch let fault as PortFault {
                if !isTold { log.warning("images are not indexed: \(fault)") }
                isTold = true
                try await time.sleep(backOff.next())
            }
            try Task.checkCancellation()
        }
    }

    /// Indexes what has come in, or looks a part of all images through.
    /// - Returns: whether there is more to do at once.
    /// - Throws: `PortFault`.
    package func step() async throws -> Bool {
        let work = try await store.indexWork(limit: ImageIndexer.stepSize)
        let ids = work.images.map(\.imageID)
        let material = ids.isEmpty ? [] : try await store.material(of: ids, detectors: rules.detectors)
        try await store.index(material.map { ImageFacts($0, rules.merging) }, for: work)
        return work.isBehind
    }

    /// Indexes until nothing is behind: for tests, and for who wants to wait.
    /// - Throws: `PortFault`.
    package func catchUp() async throws {
        while try await step() {}
    }
}

extension ImageFacts {
    init(_ material: ImageMaterial, _ options: MergingOptions) {
        self.init(
            imageID: material.imageID, detections: material.detections, boxes: material.boxes,
            consensus: material.consensus,
            standing: ImageStanding(answered: material.answered, failed: material.failed), options: options)
    }
}
