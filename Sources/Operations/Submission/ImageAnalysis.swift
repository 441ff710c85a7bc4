import Model
import Pipeline

/// What is known of one image, and how far it is (spec section 12).
package struct ImageAnalysis: Sendable {
    /// The image with its newest results, its boxes, enrichments and consensus.
    package let report: ImageReport
    /// How far it is.
    package let state: ImageState
    /// Expected services without any row, sorted.
    package let missing: [String]
    /// Services whose newest row is an error, sorted.
    package let failed: [String]

    /// - Parameter expected: the services that the image is to be answered by.
    package init(_ report: ImageReport, expecting expected: [String]) {
        self.report = report
        let findings = report.findings
        let standing = ImageStanding(
            answered: findings.successes.map(\.service).sorted(),
            failed: findings.results.filter { $0.status == .error }.map(\.service).sorted())
        state = standing.state(expecting: expected)
        missing = standing.missing(of: expected)
        failed = standing.failed
    }

    /// Whether every expected service has a row.
    package var isAnswered: Bool { state == .complete || state == .completeWithErrors }

    /// Whether there is a consensus that rests on the newest row of every service.
    package var hasNewestConsensus: Bool {
        guard let consensus = report.consensus else { return false }
        let names = ["services_list", "services_failed"].flatMap {
            (consensus[$0]?.arrayValue ?? []).compactMap(\.stringValue)
        }
        guard Set(names).isSuperset(of: report.findings.results.map(\.service)) else { return false }
        guard let newest = report.findings.results.map(\.created).max() else { return true }
        // Both are written in the same form, which sorts by time.
        return consensus["latest_result_time"]?.stringValue.map { $0 >= Timestamp.iso8601(newest) } ?? false
    }

    /// As `GET /api/v1/images/{id}` has it (spec section 12).
    package var json: JSON {
        let whole = report.json
        let image = whole["image"]?.objectValue ?? []
        func list(_ names: [String]) -> JSON { .array(names.map(JSON.string)) }
        return .object(
            image + [
                JSON.Member("state", .string(state.rawValue)), JSON.Member("missing", list(missing)),
                JSON.Member("failed", list(failed)), JSON.Member("results", whole["results"] ?? []),
                JSON.Member("boxes", whole["merged_boxes"] ?? []),
                JSON.Member("enrichments", whole["postprocessing"] ?? []),
                JSON.Member("consensus", whole["consensus"] ?? .null),
            ])
    }
}

extension Reports {
    /// - Returns: nil for an image that is not there.
    /// - Throws: `PortFault`.
    package func analysis(of id: ImageID, expecting expected: [String]) async throws -> ImageAnalysis? {
        try await report(on: [id]).first.map { ImageAnalysis($0, expecting: expected) }
    }
}
