import Model
import Pipeline

/// What the store tells: results by service and status, the totals, and whether it takes rows.
package struct StoreStatus {
    /// What stands in the place of `members` when the store is out of reach.
    package static let unknown = [
        JSON.Member("results", .null), JSON.Member("totals", .null), JSON.Member("refusal", .null),
    ]

    package let services: [ServiceReport]
    package let totals: Totals
    /// Why it takes no rows.
    package let refusal: PortFault?

    /// - Parameter rows: what is waited for: whether the store would take such rows.
    /// - Throws: `PortFault`.
    package init(_ store: Store, rows: [PlainRow]) async throws {
        services = try await store.services()
        totals = try await store.totals()
        refusal = await store.refusal(of: rows)
    }

    package var members: [JSON.Member] {
        [
            JSON.Member(
                "results",
                .array(
                    services.map { report in
                        .object([
                            "service": .string(report.service), "success": .int(Int64(report.success)),
                            "error": .int(Int64(report.error)), "last": .optional(report.last.map(Timestamp.iso8601)),
                            "p50": report.p50.map(JSON.double) ?? .null, "p95": report.p95.map(JSON.double) ?? .null,
                        ])
                    })),
            JSON.Member(
                "totals",
                .object([
                    "images": .int(Int64(totals.images)), "results": .int(Int64(totals.results)),
                    "merged_boxes": .int(Int64(totals.mergedBoxes)), "consensus": .int(Int64(totals.consensus)),
                    "postprocessing": .int(Int64(totals.postprocessing)),
                    "postprocessing_failed": .int(Int64(totals.failedPostprocessing)),
                ])),
            JSON.Member("refusal", .optional(refusal?.description)),
        ]
    }
}
