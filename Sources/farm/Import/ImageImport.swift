import ImageLists
import Model
import Pipeline
import Waiting

/// Puts the images that were found into the catalogue, and remembers what was refused.
struct ImageImport: Sendable {
    typealias Catalogue = any ImageCatalogue & ImportRecords

    let list: ImageList
    let catalogue: Catalogue
    var move = false
    var update = false
    /// Every file that is not imported is told, and every image whose path or URL differs.
    var isVerbose = false
    /// The ids are wanted: `farm run` goes on with them.
    var keepsIDs = false

    /// - Throws: `PortFault`.
    func run(_ arguments: [String], drain: Drain, progress: Progress) async throws -> ImportOutcome {
        var outcome = ImportOutcome(isVerbose: isVerbose)
        let paths = arguments.map(ImageList.path(meantBy:))
        let total = list.count(paths, drain: drain)
        var damaged = DamagedArguments()
        for path in paths where !drain.isBegun {
            if let name = damaged.take(path) {
                try await take(.init(skipped: [SkippedFile(place: name, reason: UncheckedName.fault)]), &outcome)
                continue
            }
            let last = try await catalogue.newestRefusal()
            try await list.read(path, drain: drain) { findings in
                try await take(findings, &outcome)
                progress.show(outcome.seen, of: max(total, outcome.seen))
            }
            // What was refused before and is not refused now is in, is gone, or is left out.
            if !drain.isBegun { try await catalogue.forgetRefusals(of: ImageList.absolute(path), upTo: last) }
        }
        progress.end()
        return outcome
    }

    private func take(_ findings: ImageList.FoundImages, _ outcome: inout ImportOutcome) async throws {
        outcome.skip(findings.skipped)
        if !findings.images.isEmpty {
            let answer = try await catalogue.add(findings.images, move: move, update: update)
            outcome.take(answer, updated: update)
            if keepsIDs { outcome.ids += answer.ids }
        }
        // What is not there cannot be looked at later, either.
        let refused = findings.skipped.filter { $0.kind == .refused }
        try await catalogue.remember(refused.map { (place: ImageList.absolute($0.place), reason: $0.reason) })
    }
}
