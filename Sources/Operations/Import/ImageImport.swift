import ImageLists
import Model
import Pipeline
import Waiting

/// Adds the images that were found to the catalogue, and remembers what was refused.
package struct ImageImport {
    /// The tables that an import writes.
    package typealias Catalogue = any ImageCatalogue & ImportRecords

    let list: ImageList
    let catalogue: Catalogue
    let move: Bool
    let update: Bool
    /// Receives one line for every file that is not imported, and for every image whose path or URL differs.
    let verbose: ((String) -> Void)?
    /// Whether the ids are needed: `farm run` continues with them.
    let keepsIDs: Bool

    /// An import of what a list finds.
    package init(
        list: ImageList, catalogue: Catalogue, move: Bool = false, update: Bool = false,
        verbose: ((String) -> Void)? = nil, keepsIDs: Bool = false
    ) {
        self.list = list
        self.catalogue = catalogue
        self.move = move
        self.update = update
        self.verbose = verbose
        self.keepsIDs = keepsIDs
    }

    /// - Parameters:
    ///   - damaged: how to show an argument to people if its name is not UTF-8.
    ///   - progress: called with the number of files and lines that were looked at, and their total.
    /// - Throws: `PortFault`.
    package func run(
        _ arguments: [String], drain: Drain, damaged: (String) -> String? = { _ in nil }, progress: (Int, Int) -> Void
    ) async throws -> ImportOutcome {
        var outcome = ImportOutcome(verbose: verbose)
        let paths = arguments.map(ImageList.path(meantBy:))
        let total = list.count(paths, drain: drain)
        for path in paths where !drain.isBegun {
            if let name = damaged(path) {
                try await take(.init(skipped: [SkippedFile(place: name, reason: UncheckedName.fault)]), &outcome)
                continue
            }
            let last = try await catalogue.newestRefusal()
            try await list.read(path, drain: drain) { findings in
                try await take(findings, &outcome)
                progress(outcome.seen, max(total, outcome.seen))
            }
            // What was refused before and is not now has been imported, is gone, or is left out.
            if !drain.isBegun { try await catalogue.forgetRefusals(of: ImageList.absolute(path), upTo: last) }
        }
        return outcome
    }

    private func take(_ findings: ImageList.FoundImages, _ outcome: inout ImportOutcome) async throws {
        outcome.skip(findings.skipped)
        if !findings.images.isEmpty {
            let answer = try await catalogue.add(findings.images, move: move, update: update)
            outcome.take(answer, updated: update)
            if keepsIDs { outcome.ids += answer.ids }
        }
        // A file that is missing cannot be looked at later, either.
        let refused = findings.skipped.filter { $0.kind == .refused }
        try await catalogue.remember(refused.map { (place: ImageList.absolute($0.place), reason: $0.reason) })
    }
}
