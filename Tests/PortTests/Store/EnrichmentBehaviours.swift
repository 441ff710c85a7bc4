import Foundation
import Model
import Pipeline
import Testing

@Suite("Enrichments")
struct EnrichmentBehaviours {
    /// An image with boxes of these labels.
    private func enriched(_ base: StoreBase, _ labels: [String]) async throws -> (image: ImageID, boxes: [Int]) {
        let image = try await base.image()
        try await base.store.record([.of(image, "yolov8")])
        _ = try await base.update(image, BoxChanges(inserted: labels.map { .of($0) }))
        return (image, try await base.boxes(of: image).map(\.mergedID))
    }

    @Test("have one row per box and service; one of a box that is gone is dropped", arguments: roleStores)
    func upsert(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (image, boxes) = try await enriched(base, ["person"])
            func row(_ box: Int, _ service: String, _ status: ResultStatus, _ n: Int64) -> Enrichment {
                Enrichment(
                    imageID: image, mergedID: box, service: service, data: .object(["error": .int(n)]), status: status)
            }
            try await base.store.recordEnrichments(
                [
                    row(boxes[0], "face", .error, 1), row(boxes[0] + 99, "face", .success, 2),
                    row(boxes[0], "pose", .empty, 3),
                ],
                missing: [], of: [image: boxes])
            try await base.store.recordEnrichments(
                [row(boxes[0], "face", .success, 4)], missing: [], of: [image: boxes])
            // A slower enricher's error does not displace the answer.
            try await base.store.recordEnrichments([row(boxes[0], "face", .error, 5)], missing: [], of: [image: boxes])
            let work = try #require(try await base.store.enrichmentWork(of: [image, image + 99]).first)
            #expect(work.image == Image(id: image, filename: "0.jpg"))
            #expect(work.present.map(\.service) == ["face", "pose"])
            #expect(work.present.map(\.status) == [.success, .empty])
            #expect(work.present[0].data == .object(["error": 4]))
        }
    }

    @Test("that wait for a service are listed until they are made up for", arguments: roleStores)
    func missing(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (image, boxes) = try await enriched(base, ["person", "cat"])
            func pair(_ box: Int, _ service: String) -> MissingEnrichment {
                MissingEnrichment(imageID: image, mergedID: box, service: service)
            }
            let pairs = [
                pair(boxes[0], "face"), pair(boxes[0], "colors"), pair(boxes[1], "colors"), pair(boxes[1] + 9, "face"),
            ]
            try await base.store.recordEnrichments([], missing: pairs + [pairs[0]], of: [image: boxes])
            #expect(try await base.store.missingEnrichments() == ["face": 1, "colors": 2])
            #expect(try await base.store.imagesMissingEnrichments(of: ["pose"], after: 0, limit: 9).isEmpty)
            #expect(
                try await base.store.imagesMissingEnrichments(of: ["face", "colors"], after: 0, limit: 9) == [image])
            #expect(try await base.store.imagesMissingEnrichments(of: ["face"], after: image, limit: 9).isEmpty)
            #expect(try await base.store.imagesMissingEnrichments(of: ["face"], after: 0, limit: 0).isEmpty)
            let row = Enrichment(imageID: image, mergedID: boxes[0], service: "face", data: .null, status: .success)
            // What is answered does not wait, even if another enricher says so.
            try await base.store.recordEnrichments([row], missing: [pairs[0], pairs[2]], of: [image: boxes])
            #expect(try await base.store.missingEnrichments() == ["colors": 1])
            // An enricher that read the image before this box came knows nothing of what it waits for.
            try await base.store.recordEnrichments([], missing: [], of: [image: [boxes[0]]])
            #expect(try await base.store.missingEnrichments() == ["colors": 1])
            try await base.store.recordEnrichments([], missing: [], of: [image: boxes])
            #expect(try await base.store.missingEnrichments().isEmpty)
        }
    }
}
