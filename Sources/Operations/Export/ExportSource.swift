import Model
import Pipeline
import Waiting

/// The images of an export, read in key pages, so that memory does not grow with their number.
package struct ExportSource {
    /// A signal ended the export.
    package struct Stopped: Error {}

    let store: any ImageCatalogue & Reports
    let filter: ImageFilter
    /// The newest image. Images that are imported meanwhile are left out, in a second reading as in the first.
    let newest: ImageID
    /// How many images there are.
    package let total: Int
    let drain: Drain
    /// Called with what is being read, the number of images that are done, and their total.
    let progress: (String, Int, Int) -> Void

    /// - Throws: `PortFault`, `OperationFault` if there is no such image.
    package init(
        _ store: any ImageCatalogue & Reports, group: String?, drain: Drain,
        progress: @escaping (String, Int, Int) -> Void
    ) async throws {
        self.store = store
        self.drain = drain
        self.progress = progress
        filter = ImageFilter(group: group)
        newest = try await store.newestID()
        total = try await store.count(filter)
        guard total > 0 else { throw OperationFault.noImage(inGroup: group) }
    }

    /// Reads all images once, by ascending id.
    /// - Throws: `PortFault`, `Stopped`, what `body` throws.
    package func read(_ title: String, pageSize: Int, _ body: ([Image]) async throws -> Void) async throws {
        progress(title, 0, total)
        var (done, after) = (0, 0)
        while true {
            guard !drain.isBegun else { throw Stopped() }
            let page = try await store.images(filter, after: after, limit: pageSize).map(\.image)
                .prefix { $0.id <= newest }
            guard let last = page.last else { return }
            try await body(Array(page))
            after = last.id
            done += page.count
            progress(title, done, max(total, done))
        }
    }
}

extension OperationFault {
    static func noImage(inGroup group: String?) -> OperationFault {
        guard let group else { return .missing("no image: farm import PATH loads some") }
        return .missing(
            "no image in group \(group): farm import PATH --group \(group) loads some, and "
                + "farm import --existing --group \(group) takes those that have no group")
    }
}
