import Foundation
import Model
import Pipeline
import Testing

/// Of every kind that roles write.
let plainRows: [PlainRow] = [.result(service: "blip", workerID: "w1"), .box(workerID: "w1"), .enrichment, .consensus]

extension ResultStore {
    /// Why it does not take such a row; nil if it would.
    func refusal(of row: PlainRow, of image: ImageID? = nil) async throws -> PortFault? {
        do { try await probe(row, of: image) } catch let fault as PortFault { return fault }
        return nil
    }
}

extension StoreBase {
    /// An image with a result, a box and its consensus, so that every probe has something to write about.
    func furnished() async throws -> ImageID {
        let image = try await image()
        try await store.record([.of(image, "yolov8"), .of(image, "blip")])
        _ = try await store.updateBoxes(of: [image], from: ["yolov8"], workerID: "w1") { _, _ in
            BoxChanges(inserted: [.of("cat")])
        }
        let box = try #require(try await store.report(on: [image]).first?.findings.boxes.first)
        let answer: JSON = .object(["predictions": .array([])])
        try await store.recordEnrichments(
            [Enrichment(imageID: image, mergedID: box.mergedID, service: "colors", data: answer, status: .empty)],
            missing: [MissingEnrichment(imageID: image, mergedID: box.mergedID, service: "face")],
            of: [image: [box.mergedID]])
        try await store.updateConsensus(of: [image]) { _ in ConsensusRecord(data: answer, processingTime: 1) }
        return image
    }
}

@Suite("A plain row")
struct PlainRowBehaviours {
    @Test("of any kind would be taken, and nothing of it stays", arguments: storeBackends)
    func taken(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            for row in plainRows { #expect(try await base.store.refusal(of: row) == nil, "without any image") }
            let image = try await base.furnished()
            func state() async throws -> [String] {
                let tables = [
                    "results", "merged_boxes", "postprocessing", "consensus", "farm_missing_enrichments", "farm_begun",
                    "farm_stale",
                ]
                var counts: [String] = []
                for table in tables { counts += try await base.select("SELECT count(*) FROM \(table)") }
                return counts
            }
            let before = try await state()
            #expect(before == ["2", "1", "1", "1", "1", "0", "0"])
            for row in plainRows {
                for image in [nil, image, image + 1] {
                    #expect(try await base.store.refusal(of: row, of: image) == nil)
                }
            }
            #expect(try await state() == before)
            let box = try #require(try await base.store.report(on: [image]).first?.findings.boxes.first?.box)
            #expect(box.label == "cat")
            #expect(try await base.select("SELECT status FROM postprocessing") == ["empty"])
        }
    }

    @Test(
        "of a table that is gone is refused, in the store's own words; of others it is taken", arguments: storeBackends)
    func tableGone(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            _ = try await base.furnished()
            try await base.execute("ALTER TABLE consensus RENAME TO consensus_away")
            let fault = try await base.store.refusal(of: .consensus)
            #expect(fault?.message.contains("consensus") == true)
            #expect(fault?.kind == .unusable)
            for row in plainRows where row != .consensus { #expect(try await base.store.refusal(of: row) == nil) }
            try await base.execute("ALTER TABLE consensus_away RENAME TO consensus")
            #expect(try await base.store.refusal(of: .consensus) == nil)
        }
    }

    @Test(
        "that another row stands in the way of, by a foreign program's index, says nothing of the store",
        arguments: storeBackends)
    func otherRow(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.furnished()
            try await base.execute("CREATE UNIQUE INDEX theirs ON results (image_id, service)")
            #expect(try await base.store.refusal(of: .result(service: "blip", workerID: "w1"), of: image) == nil)
            let fault = await #expect(throws: PortFault.self) { try await base.store.record([.of(image, "blip")]) }
            #expect(fault?.kind == .refused)
        }
    }
}
