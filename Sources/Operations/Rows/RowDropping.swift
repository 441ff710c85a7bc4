import Model
import Pipeline
import Waiting

/// What was dropped.
package struct DroppedRows: Sendable, Equatable {
    /// By table.
    package var totals = Totals()
    /// Images that are asked for again, since what is left of them has to be looked at anew.
    package var asksAgain = 0

    package init(totals: Totals = Totals(), asksAgain: Int = 0) {
        self.totals = totals
        self.asksAgain = asksAgain
    }
}

/// Drops rows of many images, page by page.
package protocol RowDropping: Sendable {
    /// The images.
    var pages: ImagePages { get }

    /// What is there of these images.
    /// - Throws: `PortFault`.
    func holdings(of page: [ImageID]) async throws -> Totals

    /// Drops that.
    /// - Throws: `PortFault`.
    func drop(_ page: [ImageID]) async throws -> DroppedRows
}

extension RowDropping {
    /// What would be dropped.
    /// - Parameter progress: told after each page how many images were looked at.
    /// - Throws: `PortFault`.
    package func count(progress: (Int) -> Void) async throws -> Totals {
        var there = Totals()
        try await pages.run(Drain(), progress: progress) { there += try await holdings(of: $0) }
        return there
    }

    /// Drops it, page by page, until all is gone or the drain begins.
    /// - Parameters:
    ///   - dropped: tells also after a fault what is gone.
    ///   - progress: told after each page how many images are done.
    /// - Throws: `PortFault`.
    package func run(into dropped: inout DroppedRows, _ drain: Drain, progress: (Int) -> Void) async throws {
        try await pages.run(drain, progress: progress) { page in
            let rows = try await drop(page)
            dropped.totals += rows.totals
            dropped.asksAgain += rows.asksAgain
        }
    }
}

/// Drops results of images and all that was derived from them; the images stay.
package struct Forget: RowDropping {
    package let pages: ImagePages
    let store: any ResultForgetting

    /// Drops the results of these images.
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

/// Drops what some services said of images, and has the rest merged and voted on again.
package struct ForgetServices: RowDropping {
    package let pages: ImagePages
    let store: any ResultForgetting
    let services: [String]
    /// nil where nothing is dropped.
    let retrigger: Retrigger?

    /// Drops what these services said of these images.
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

/// Removes images with all that hangs on them.
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
    /// As `farm forget --json` and `farm remove --json` have it (spec section 1).
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
