import Foundation
import Model
import Pipeline

/// Which dead letters are meant, as people name them.
package struct DeadLetterChoice: Sendable {
    /// Queues, or `<queue>.dead`; nil: any.
    package var queues: [String]?
    /// Services and roles, with commas; nil: any.
    package var services: String?
    /// Reasons; nil: any.
    package var reasons: [String]?
    /// Images by id, path, URL or filename; empty: any.
    package var images: [String] = []
    /// Dead before this moment.
    package var before: Date?
    /// Dead after this moment.
    package var after: Date?
    /// At most so many.
    package var limit: Int?

    /// The letters that all of this is true of.
    package init(
        queues: [String]? = nil, services: String? = nil, reasons: [String]? = nil, images: [String] = [],
        before: Date? = nil, after: Date? = nil, limit: Int? = nil
    ) {
        self.queues = queues
        self.services = services
        self.reasons = reasons
        self.images = images
        self.before = before
        self.after = after
        self.limit = limit
    }

    /// Queues that are named and not known: another box's, or mistyped.
    package func unknownQueues(_ known: KnownQueues) -> [String] {
        named.map { names in names.filter { name in !known.all.contains { $0.queue == name } } } ?? []
    }

    /// - Parameter store: needed where an image is named by something else than its id.
    /// - Throws: `OperationFault` for a service or an image that is not known; `PortFault`.
    package func round(
        _ queue: any QueueAdministration & QueueInspection, _ known: KnownQueues,
        store: (any ImageCatalogue & ImportRecords)?
    ) async throws -> DeadRound {
        let filter = DeadLetterFilter(
            reasons: reasons.map { Set($0) }, images: try await ids(store), before: before, after: after)
        let ofServices = try (services.map(known.queues) ?? known.all).map(\.queue)
        let names = services == nil ? named ?? ofServices : named?.filter(ofServices.contains) ?? ofServices
        return DeadRound(queues: queue, names: names, filter: filter, limit: limit)
    }

    private var named: [String]? { queues?.map { $0.hasSuffix(".dead") ? String($0.dropLast(5)) : $0 } }

    /// Letters are of images that `images` does not have, too: digits are an id.
    private func ids(_ store: (any ImageCatalogue & ImportRecords)?) async throws -> Set<ImageID>? {
        guard !images.isEmpty else { return nil }
        let others = images.filter { ImageID($0) == nil }
        return Set(images.compactMap(ImageID.init) + (try await store?.images(named: others).map(\.id) ?? []))
    }
}
