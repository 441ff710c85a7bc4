import Foundation
import Model
import Operations
import Pipeline

/// Which dead letters are meant, as people name them.
struct DeadLetterChoice: Sendable {
    /// Queues, or `<queue>.dead`; nil: any.
    var queues: [String]?
    /// Services and roles, with commas; nil: any.
    var services: String?
    /// Reasons; nil: any.
    var reasons: [String]?
    /// Images by id, path, URL or filename; empty: any.
    var images: [String] = []
    /// Dead before this moment.
    var before: Date?
    /// Dead after this moment.
    var after: Date?
    /// At most so many.
    var limit: Int?

    /// Queues that are named and not known: another box's, or mistyped.
    func unknownQueues(_ known: KnownQueues) -> [String] {
        named.map { names in names.filter { name in !known.all.contains { $0.queue == name } } } ?? []
    }

    /// - Parameter store: needed where an image is named by something else than its id.
    /// - Throws: `OperationFault` for a service or an image that is not known; `PortFault`.
    func round(
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
