import ImageLists
import Model
import Pipeline

/// Puts the images that were found into the catalogue.
struct ImageImport: Sendable {
    /// How it went.
    struct Outcome: Sendable {
        var counts = ImportCounts()
        /// Files in folders that are no images.
        var skipped = 0
        /// Named files that are none and lines that are no record: how many, and the first of them.
        var refused = 0
        var faults: [SkippedFile] = []
        var ids: [ImageID] = []

        /// Files and lines that were looked at.
        fileprivate var seen: Int { counts.added + counts.existing + skipped + refused }
    }

    static let shownFaults = 20

    let list: ImageList
    let catalogue: any ImageCatalogue
    let move: Bool
    /// The ids are wanted: `farm run` goes on with them.
    var keepsIDs = false

    /// - Throws: `PortFault`.
    func run(_ paths: [String], drain: Drain, progress: Progress) async throws -> Outcome {
        var outcome = Outcome()
        let total = list.count(paths, drain: drain)
        for path in paths where !drain.isBegun {
            try await list.read(path, drain: drain) { findings in
                outcome.skipped += findings.skipped.count
                outcome.refused += findings.faults.count
                outcome.faults += findings.faults.prefix(ImageImport.shownFaults - outcome.faults.count)
                if !findings.images.isEmpty {
                    let added = try await catalogue.add(findings.images, move: move)
                    outcome.counts += added.counts
                    if keepsIDs { outcome.ids += added.ids }
                }
                progress.show(outcome.seen, of: max(total, outcome.seen))
            }
        }
        progress.end()
        return outcome
    }
}
