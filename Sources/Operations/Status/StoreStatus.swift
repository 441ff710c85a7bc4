import Foundation
import Model
import Pipeline

/// What the store reports: results by service and status, the totals, and whether it takes rows.
package struct StoreStatus: Sendable {
    /// What replaces `members` if the store is out of reach.
    package static let unknown = [
        JSON.Member("results", .null), JSON.Member("totals", .null), JSON.Member("counted", .null),
        JSON.Member("refusal", .null),
    ]

    /// The results of each service.
    package let services: [ServiceReport]
    /// The number of rows in each table.
    package let totals: Totals
    /// Whether every row was counted.
    private let isExact: Bool
    /// When the counts that triggers keep were last corrected.
    package let recounted: Date?
    /// Why the store takes no rows. nil if it does.
    package let refusal: PortFault?

    /// - Parameters:
    ///   - rows: rows of the kinds that are waited for. The store is asked whether it would take them.
    ///   - exact: whether to count every row and, if the store may be written, correct what triggers keep.
    /// - Throws: `PortFault`.
    package init(_ store: Store, rows: [PlainRow], exact: Bool) async throws {
        services = try await store.services(exact: exact)
        totals = try await store.totals(exact: exact)
        isExact = exact
        // A user who may only read has got an exact count all the same.
        if exact { try? await store.recount() }
        recounted = try await store.lastRecount()
        refusal = await store.refusal(of: rows)
    }

    /// The members in `farm status --json` (spec section 1).
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
            JSON.Member(
                "counted",
                .object(["exact": .bool(!isKept), "at": .optional(recounted.map(Timestamp.iso8601))])),
            JSON.Member("refusal", .optional(refusal?.description)),
        ]
    }

    /// Whether a count is one that triggers keep, and that was not counted now.
    package func isKept(_ count: Int) -> Bool { !isExact && count > RowCounts.exactLimit }

    /// Whether any of the counts is.
    package var isKept: Bool {
        let counts =
            [totals.images, totals.results, totals.mergedBoxes, totals.consensus, totals.postprocessing]
            + [totals.failedPostprocessing] + services.flatMap { [$0.success, $0.error] }
        return counts.contains(where: isKept)
    }
}
