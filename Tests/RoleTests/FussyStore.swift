import Embedded
import Foundation
import Model
import Pipeline
import Synchronization

/// A test double: a store that refuses every row, or single values, while it is told to.
final class FussyStore: ResultStore {
    private struct State {
        var state: PortFault?
        var isProbeBlind = false
        var refusedText: String?
        var refusedImages: Set<ImageID> = []
        var writes = 0
    }

    private let store: EmbeddedStore
    private let state = Mutex(State())

    init(_ store: EmbeddedStore) { self.store = store }

    /// How often somebody tried to write.
    var writes: Int { state.withLock { $0.writes } }

    /// Refuses every row from now on; nil: none.
    /// - Parameter probed: whether a probe feels it too.
    func refuseAll(_ fault: PortFault?, probed: Bool = true) {
        state.withLock {
            $0.state = fault
            $0.isProbeBlind = !probed
        }
    }

    /// Refuses results that hold this text.
    func refuse(_ text: String) { state.withLock { $0.refusedText = text } }

    /// Has no partition for rows of these images.
    func refuse(images: Set<ImageID>) { state.withLock { $0.refusedImages = images } }

    static let full = PortFault(.refused, place: "db", message: "nextval: reached maximum value of sequence")

    private func check(_ images: [ImageID], isProbe: Bool = false) throws {
        try state.withLock { state in
            if !isProbe { state.writes += 1 }
            if let fault = state.state, !(isProbe && state.isProbeBlind) { throw fault }
            guard state.refusedImages.isDisjoint(with: images) else {
                throw PortFault(.refused, place: "db", message: "no partition found for row")
            }
        }
    }

    func probe(_ row: PlainRow, of image: ImageID?) async throws {
        try check(image.map { [$0] } ?? [], isProbe: true)
        try await store.probe(row, of: image)
    }

    func servicesOfMissingEnrichments() async throws -> [String] { try await store.servicesOfMissingEnrichments() }

    func standing(of jobs: [JobKey], workerID: String, patience: Duration) async throws -> [JobStanding] {
        if jobs.contains(where: \.redelivered) { try check([]) }
        return try await store.standing(of: jobs, workerID: workerID, patience: patience)
    }

    func settle(_ jobs: [UUID], workerID: String) async throws {
        try check([])
        try await store.settle(jobs, workerID: workerID)
    }

    func record(_ results: [AnalysisResult], patience: Duration) async throws -> Set<UUID> {
        try check(results.map(\.imageID))
        if let text = state.withLock({ $0.refusedText }),
            results.contains(where: { String(decoding: $0.data, as: UTF8.self).contains(text) })
        {
            throw PortFault(.refused, place: "db", message: "invalid value")
        }
        return try await store.record(results, patience: patience)
    }

    func images(_ ids: [ImageID]) async throws -> [ImageID: Image] { try await store.images(ids) }

    func updateBoxes(
        of images: [ImageID], from services: [String], workerID: String,
        fuse: @Sendable @escaping ([StoredResult], [StoredBox]) -> BoxChanges
    ) async throws -> [ImageID: Int] {
        try check(images)
        return try await store.updateBoxes(of: images, from: services, workerID: workerID, fuse: fuse)
    }

    func enrichmentWork(of images: [ImageID]) async throws -> [EnrichmentWork] {
        try await store.enrichmentWork(of: images)
    }

    func recordEnrichments(
        _ rows: [Enrichment], missing: [MissingEnrichment], of images: [ImageID: [Int]]
    ) async throws {
        try check(Array(images.keys))
        try await store.recordEnrichments(rows, missing: missing, of: images)
    }

    func imagesMissingEnrichments(of services: [String], after: ImageID, limit: Int) async throws -> [ImageID] {
        try await store.imagesMissingEnrichments(of: services, after: after, limit: limit)
    }

    func updateConsensus(
        of images: [ImageID], vote: @Sendable @escaping (ImageFindings) -> ConsensusRecord?
    ) async throws {
        try check(images)
        try await store.updateConsensus(of: images, vote: vote)
    }
}
