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
        /// Pictures in folders that farm itself has drawn.
        var drawn = 0
        /// Named files that are none and lines that are no record: how many, and the first of them.
        var refused = 0
        var faults: [SkippedFile] = []
        var ids: [ImageID] = []

        /// Files and lines that were looked at.
        fileprivate var seen: Int { counts.added + counts.existing + skipped + drawn + refused }

        /// Faults in their order, of which the first are told.
        fileprivate mutating func refuse(_ faults: [SkippedFile]) {
            refused += faults.count
            self.faults += faults.prefix(ImageImport.shownFaults - self.faults.count)
        }
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
        var damaged = DamagedArguments()
        for path in paths where !drain.isBegun {
            if let name = damaged.take(path) {
                outcome.refuse([SkippedFile(place: name, reason: UncheckedName.fault)])
                continue
            }
            try await list.read(path, drain: drain) { findings in
                outcome.skipped += findings.skipped.count
                outcome.drawn += findings.drawn.count
                outcome.refuse(findings.faults)
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
