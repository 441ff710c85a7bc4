import Harmony
import Model
import Pipeline

/// All that is known of one image, for its page.
package struct ImageDetail: Sendable {
    /// The image, its newest results, boxes, enrichments with their crops, and its consensus with the evidence.
    package var report: ImageReport
    /// How far it is.
    package var state: ImageState
    /// Expected services without any row.
    package var missing: [String]
    /// Services whose newest row is an error.
    package var failed: [String]
    /// All rows of `results`, the newest first.
    package var history: [ResultSummary]
    /// Older rows than `history` holds.
    package var hasOlderHistory: Bool
    /// What became of each detector's boxes.
    package var explanation: FusionExplanation
    /// The row of `merged_boxes` of each fused box of the explanation. nil where the stored boxes come from older answers or
    /// other thresholds.
    package var mergedIDs: [Int?]
    /// Emoji that too few services named.
    package var undecided: [UndecidedEmoji]
}

/// Reads images for their pages.
package struct ImageDetails: Sendable {
    /// Rows of `results` on a page.
    private static let historyLimit = 200

    let store: any Reports & ImageBrowsing
    let rules: ReadingRules

    /// A reader of this store.
    package init(store: any Reports & ImageBrowsing, rules: ReadingRules) {
        self.store = store
        self.rules = rules
    }

    /// - Returns: nil for an image that is not there.
    /// - Throws: `PortFault`.
    package func detail(of id: ImageID) async throws -> ImageDetail? {
        guard let report = try await store.report(on: [id]).first else { return nil }
        let history = try await store.history(of: id, limit: ImageDetails.historyLimit + 1)
        let findings = report.findings
        let standing = ImageStanding(
            answered: findings.successes.map(\.service).sorted(),
            failed: findings.results.filter { $0.status == .error }.map(\.service).sorted())
        let answers = findings.successes.filter { rules.detectors.contains($0.service) }.map {
            DetectorAnswer(resultID: $0.resultID, service: $0.service, data: $0.data)
        }
        let explanation = explain(answers, options: rules.merging)
        let changes = reconcile(stored: findings.boxes, fused: explanation.boxes, keepIoU: rules.merging.keepIoU)
        return ImageDetail(
            report: report, state: standing.state(expecting: rules.expected),
            missing: standing.missing(of: rules.expected), failed: standing.failed,
            history: Array(history.prefix(ImageDetails.historyLimit)),
            hasOlderHistory: history.count > ImageDetails.historyLimit, explanation: explanation,
            mergedIDs: explanation.boxes.map { box in
                changes.kept.first { $0.box.clusterID == box.clusterID }?.mergedID
            },
            undecided: report.consensus.map { Harmony.undecided(findings.successes, in: $0) } ?? [])
    }
}
