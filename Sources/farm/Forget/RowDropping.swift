import Model
import Operations
import Pipeline
import Waiting

/// Drops rows of many images: counts them, asks, drops them page by page, and tells.
struct RowDropping {
    let pages: ImagePages
    let confirmation: Confirmation
    let isDryRun: Bool
    let isJSON: Bool
    /// `Forget 4 results of 2 images?`
    let question: String
    /// What has been done to them: `forgotten`.
    let participle: String
    /// For people.
    let text: (Totals) -> String

    /// - Parameters:
    ///   - drain: makes the signals' drain, once nobody is asked any more.
    ///   - count: what is there of a page's images.
    ///   - drop: drops that.
    /// - Returns: what was dropped, or would be.
    /// - Throws: `PortFault`, `CommandFailure` if the answer is no.
    @discardableResult
    func run(
        drain: () -> Drain, count: ([ImageID]) async throws -> Totals, drop: ([ImageID]) async throws -> Totals
    ) async throws -> Totals {
        if isDryRun || !confirmation.yes {
            var there = Totals()
            try await pages.run("looked at", Drain()) { there += try await count($0) }
            if isDryRun {
                report(there)
                return there
            }
            try await confirmation.ask("\(question) \(text(there))?")
        }
        let drain = drain()
        var dropped = Totals()
        do {
            try await pages.run(participle, drain) { dropped += try await drop($0) }
        } catch {
            Terminal.error("farm: \(text(dropped)) \(participle) before it failed; run it again for the rest")
            throw error
        }
        report(dropped)
        if drain.isBegun { Terminal.error("farm: stopped; run it again for the rest") }
        return dropped
    }

    private func report(_ totals: Totals) {
        if isJSON {
            return Terminal.output(
                JSON.object([
                    "images": .int(Int64(totals.images)), "results": .int(Int64(totals.results)),
                    "merged_boxes": .int(Int64(totals.mergedBoxes)), "consensus": .int(Int64(totals.consensus)),
                    "postprocessing": .int(Int64(totals.postprocessing)), "dry_run": .bool(isDryRun),
                ]).text)
        }
        Terminal.output("\(text(totals)) \(isDryRun ? "would be " : "")\(participle)")
    }
}

extension Totals {
    /// `4 results, 2 merged boxes, 2 consensus and 1 enrichment`.
    var findingsText: String {
        "\(counted(results, "result")), \(counted(mergedBoxes, "merged box")), \(consensus) consensus "
            + "and \(counted(postprocessing, "enrichment"))"
    }
}
