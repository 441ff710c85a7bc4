import Foundation
import Model
import Pipeline

/// A selection of dead letters, as people name it.
package struct DeadLetterChoice: Sendable {
    /// Queues, or `<queue>.dead`. nil for any.
    package var queues: [String]?
    /// Services and roles, separated by commas. nil for any.
    package var services: String?
    /// Reasons. nil for any.
    package var reasons: [String]?
    /// Images by id, path, URL or filename. Empty for any.
    package var images: [String] = []
    /// Letters that died before this moment.
    package var before: Date?
    /// Letters that died after this moment.
    package var after: Date?
    /// The largest number of letters.
    package var limit: Int?

    /// Selects the letters that meet all of these criteria.
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

    /// What is meant, one line for people: `service clip, reason timeout`.
    package var text: String {
        var parts: [String] = []
        func add(_ name: String, _ value: String?) { if let value { parts.append("\(name) \(value)") } }
        add("queue", queues?.joined(separator: ", "))
        add("service", services)
        add("reason", reasons?.joined(separator: ", "))
        add("image", images.isEmpty ? nil : images.joined(separator: ", "))
        add("before", before.map(Timestamp.iso8601))
        add("after", after.map(Timestamp.iso8601))
        add("at most", limit.map { String($0) })
        return parts.isEmpty ? "all" : parts.joined(separator: "; ").printable(upTo: 250)
    }

    /// Queues that are named and not known: another machine's, or mistyped.
    package func unknownQueues(_ known: KnownQueues) -> [String] {
        named.map { names in names.filter { name in !known.all.contains { $0.queue == name } } } ?? []
    }

    /// - Parameter store: needed if an image is not named by its id.
    /// - Throws: `OperationFault` for an unknown service or image; `PortFault`.
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

    /// There are also letters of images that are not in `images`, so digits are always an id.
    private func ids(_ store: (any ImageCatalogue & ImportRecords)?) async throws -> Set<ImageID>? {
        guard !images.isEmpty else { return nil }
        let others = images.filter { ImageID($0) == nil }
        return Set(images.compactMap(ImageID.init) + (try await store?.images(named: others).map(\.id) ?? []))
    }
}
