import Model
import Pipeline
import Waiting

/// The images that a command is about, page by page.
package struct ImagePages {
    /// Images in one transaction: others wait for their locks as long.
    private static let size = 200

    let store: any ImageCatalogue
    let filter: ImageFilter
    /// How many images there are.
    package let count: Int

    /// - Parameter names: of images; empty: all of the group, or all there are.
    /// - Throws: `OperationFault` when there is no such image, `PortFault`.
    package init(_ store: any ImageCatalogue & ImportRecords, named names: [String], group: String?) async throws {
        self.store = store
        let ids = names.isEmpty ? nil : try await store.images(named: names).map(\.id)
        filter = ImageFilter(group: group, ids: ids)
        count = try await store.count(filter)
        guard count > 0 else { throw OperationFault.missing("no image" + (group.map { " in group \($0)" } ?? "")) }
    }

    /// Each page once, by ascending id, until all are done or the drain begins.
    /// - Parameter progress: told after each page how many images were done.
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
