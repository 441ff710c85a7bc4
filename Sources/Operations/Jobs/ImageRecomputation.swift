import Model
import Pipeline
import Roles
import Waiting

/// Merges, enriches or votes on images again, at once.
package struct ImageRecomputation: Sendable {
    /// Computes one page of images again.
    package typealias Compute = @Sendable ([Image]) async throws -> RecomputationCounts

    /// The result of a recomputation.
    package struct Outcome: Sendable {
        /// What was done.
        package var counts: RecomputationCounts
        /// Why not everything is done. nil if it is, or if the drain has begun.
        package var fault: OperationFault?
    }

    let role: PostProcessing
    /// nil for all images.
    let images: [ImageID]?
    let store: Store
    let compute: Compute

    /// A recomputation of these images.
    package init(
        role: PostProcessing, images: [ImageID]? = nil, store: Store, compute: @escaping Compute
    ) {
        self.role = role
        self.images = images
        self.store = store
        self.compute = compute
    }

    /// How many images are computed at once. The enricher holds their pictures in memory.
    private var pageSize: Int { role == .enricher ? 8 : 200 }

    /// - Parameter progress: called after each page with the number of images that were done, and their total.
    /// - Throws: `PortFault`.
    package func run(_ drain: Drain, progress: (Int, Int) -> Void) async throws -> Outcome {
        let filter = ImageFilter(ids: images)
        let total = try await store.count(filter)
        // No service is called for an answer that could not be stored.
        for row in PlainRow.of(services: [], roles: [role]) { try await store.probe(row, of: nil) }
        var (seen, after) = (0, 0)
        var counts = RecomputationCounts()
        var found: Set<ImageID> = []
        while !drain.isBegun {
            let page = try await store.images(filter, after: after, limit: pageSize).map(\.image)
            guard let last = page.last else { break }
            after = last.id
            counts += try await drain.until { try await compute(page) } ?? RecomputationCounts()
            seen += page.count
            if images != nil { found.formUnion(page.map(\.id)) }
            progress(seen, total)
        }
        let unknown = drain.isBegun ? [] : Set(images ?? []).subtracting(found).sorted()
        return Outcome(counts: counts, fault: try await fault(counts, of: seen, unknown))
    }

    private func fault(_ counts: RecomputationCounts, of seen: Int, _ unknown: [ImageID]) async throws
        -> OperationFault?
    {
        if !unknown.isEmpty {
            return .missing("no image with id \(unknown.map(String.init).joined(separator: ", "))")
        }
        if counts.done < seen {
            let services = try await store.missingEnrichments().keys.sorted().joined(separator: ", ")
            return .failed("\(counted(seen - counts.done, "image")) not done: away: \(services)")
        }
        return counts.failed > 0
            ? .failed("\(counted(counts.failed, "question")) failed: farm show IMAGE says why") : nil
    }
}
