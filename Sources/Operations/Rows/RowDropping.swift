import Model
import Pipeline
import Waiting

/// What was dropped.
package struct DroppedRows: Sendable, Equatable {
    /// The number of rows in each table.
    package var totals = Totals()
    /// How many images are triggered again, since the rest of their rows has to be looked at anew.
    package var asksAgain = 0

    package init(totals: Totals = Totals(), asksAgain: Int = 0) {
        self.totals = totals
        self.asksAgain = asksAgain
    }
}

/// Deletes rows of many images, page by page.
package protocol RowDropping: Sendable {
    /// The images whose rows are deleted.
    var pages: ImagePages { get }

    /// How many rows of these images would be deleted.
    /// - Throws: `PortFault`.
    func holdings(of page: [ImageID]) async throws -> Totals

    /// Deletes the rows of these images.
    /// - Throws: `PortFault`.
    func drop(_ page: [ImageID]) async throws -> DroppedRows
}

extension RowDropping {
    /// How many rows would be deleted.
    /// - Parameter progress: called after each page with the number of images that were looked at.
    /// - Throws: `PortFault`.
    package func count(progress: (Int) -> Void) async throws -> Totals {
        var there = Totals()
        try await pages.run(Drain(), progress: progress) { there += try await holdings(of: $0) }
        return there
    }

    /// Deletes the rows page by page, until all are gone or the drain begins.
    /// - Parameters:
    ///   - dropped: what is gone. It is correct even after a fault.
    ///   - progress: called after each page with the number of images that are done.
    /// - Throws: `PortFault`.
    package func run(into dropped: inout DroppedRows, _ drain: Drain, progress: (Int) -> Void) async throws {
        try await pages.run(drain, progress: progress) { page in
            let rows = try await drop(page)
            dropped.totals += rows.totals
            dropped.asksAgain += rows.asksAgain
        }
    }
}

/// Deletes the results of images and everything that was derived from them. The images stay.
package struct Forget: RowDropping {
    package let pages: ImagePages
    let store: any ResultForgetting

    /// Deletes the results of these images.
    package init(
        pages: ImagePages, store: any ResultForgetting
    ) {
        self.pages = pages
        self.store = store
    }

    package func holdings(of page: [ImageID]) async throws -> Totals { try await store.holdings(of: page) }

    package func drop(_ page: [ImageID]) async throws -> DroppedRows {
        DroppedRows(totals: try await store.forget(page))
    }
}

/// Deletes what some services found in images, and has the rest merged and voted on again.
package struct ForgetServices: RowDropping {
    package let pages: ImagePages
    let store: any ResultForgetting
    let services: [String]
    /// nil if nothing is deleted.
    let retrigger: Retrigger?

    /// Deletes what these services found in these images.
    package init(
        pages: ImagePages, store: any ResultForgetting, services: [String], retrigger: Retrigger? = nil
    ) {
        self.pages = pages
        self.store = store
        self.services = services
        self.retrigger = retrigger
    }

    package func holdings(of page: [ImageID]) async throws -> Totals {
        try await store.holdings(of: page, services: services)
    }

    package func drop(_ page: [ImageID]) async throws -> DroppedRows {
        let (dropped, changed) = try await store.forget(page, services: services)
        try await retrigger?.run(changed)
        return DroppedRows(totals: dropped, asksAgain: changed.count)
    }
}

/// Removes images with everything that belongs to them.
package struct Remove: RowDropping {
    package let pages: ImagePages
    let store: any ResultForgetting

    /// Removes these images.
    package init(
        pages: ImagePages, store: any ResultForgetting
    ) {
        self.pages = pages
        self.store = store
    }

    package func holdings(of page: [ImageID]) async throws -> Totals {
        var totals = try await store.holdings(of: page)
        totals.images = page.count
        return totals
    }

    package func drop(_ page: [ImageID]) async throws -> DroppedRows {
        DroppedRows(totals: try await store.remove(page))
    }
}

extension Totals {
    /// The output of `farm forget --json` and `farm remove --json` (spec section 1).
    package func json(isDryRun: Bool) -> JSON {
        .object([
            "images": .int(Int64(images)), "results": .int(Int64(results)), "merged_boxes": .int(Int64(mergedBoxes)),
            "consensus": .int(Int64(consensus)), "postprocessing": .int(Int64(postprocessing)),
            "dry_run": .bool(isDryRun),
        ])
    }

    /// `4 results, 2 merged boxes, 2 consensus and 1 enrichment`.
    package var findingsText: String {
        "\(counted(results, "result")), \(counted(mergedBoxes, "merged box")), \(consensus) consensus "
            + "and \(counted(postprocessing, "enrichment"))"
    }
}
