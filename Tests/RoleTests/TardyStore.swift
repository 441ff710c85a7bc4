import Embedded
import Foundation
import Model
import Pipeline
import Synchronization

/// A test double: a store whose first answer about missing enrichments is on its way until something has happened.
final class TardyStore: ResultStore {
    private let store: EmbeddedStore
    private let event: @Sendable () async throws -> Void
    private let isFirst = Mutex(true)

    init(_ store: EmbeddedStore, until event: @escaping @Sendable () async throws -> Void) {
        self.store = store
        self.event = event
    }

    func imagesMissingEnrichments(of services: [String], after: ImageID, limit: Int) async throws -> [ImageID] {
        let images = try await store.imagesMissingEnrichments(of: services, after: after, limit: limit)
        let waits = isFirst.withLock { isFirst in
            defer { isFirst = false }
            return isFirst
        }
        if waits { try await event() }
        return images
    }

    func probe(_ row: PlainRow, of image: ImageID?) async throws { try await store.probe(row, of: image) }

    func servicesOfMissingEnrichments() async throws -> [String] { try await store.servicesOfMissingEnrichments() }

    func standing(of jobs: [JobKey], workerID: String, patience: Duration) async throws -> [JobStanding] {
        try await store.standing(of: jobs, workerID: workerID, patience: patience)
    }

    func settle(_ jobs: [UUID], workerID: String) async throws { try await store.settle(jobs, workerID: workerID) }

    func record(_ results: [AnalysisResult], patience: Duration) async throws -> Set<UUID> {
        try await store.record(results, patience: patience)
    }

    func images(_ ids: [ImageID]) async throws -> [ImageID: Image] { try await store.images(ids) }

    func updateBoxes(
        of images: [ImageID], from services: [String], workerID: String,
        fuse: @Sendable @escaping ([StoredResult], [StoredBox]) -> BoxChanges
    ) async throws -> [ImageID: Int] {
        try await store.updateBoxes(of: images, from: services, workerID: workerID, fuse: fuse)
    }

    func enrichmentWork(of images: [ImageID]) async throws -> [EnrichmentWork] {
        try await store.enrichmentWork(of: images)
    }

    func recordEnrichments(
        _ rows: [Enrichment], missing: [MissingEnrichment], of images: [ImageID: [Int]]
    ) async throws {
        try await store.recordEnrichments(rows, missing: missing, of: images)
    }

    func updateConsensus(
        of images: [ImageID], vote: @Sendable @escaping (ImageFindings) -> ConsensusRecord?
    ) async throws {
        try await store.updateConsensus(of: images, vote: vote)
    }
}
