import Model
import Pipeline
import Waiting

/// The images of a command, page by page.
package struct ImagePages {
    /// How many images are in one transaction. Others wait for their locks during that time.
    private static let size = 200

    let store: any ImageCatalogue
    let filter: ImageFilter
    /// How many images there are.
    package let count: Int

    /// - Parameter names: the names of images. If there are none, all images of the group, or all images.
    /// - Throws: `OperationFault` if there is no such image, `PortFault`.
    package init(_ store: any ImageCatalogue & ImportRecords, named names: [String], group: String?) async throws {
        self.store = store
        let ids = names.isEmpty ? nil : try await store.images(named: names).map(\.id)
        filter = ImageFilter(group: group, ids: ids)
        count = try await store.count(filter)
        guard count > 0 else { throw OperationFault.missing("no image" + (group.map { " in group \($0)" } ?? "")) }
    }

    /// Handles each page once, by ascending id, until all are done or the drain begins.
    /// - Parameter progress: called after each page with the number of images that were done.
    package func run(_ drain: Drain, progress: (Int) -> Void, _ work: ([ImageID]) async throws -> Void) async throws {
        var (seen, after) = (0, 0)
        while !drain.isBegun {
            let page = try await store.images(filter, after: after, limit: ImagePages.size).map(\.image.id)
            guard let last = page.last else { break }
            try await work(page)
            after = last
            seen += page.count
            progress(seen)
        }
    }
}
