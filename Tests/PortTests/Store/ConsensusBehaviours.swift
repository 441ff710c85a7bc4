import Foundation
import Model
import Pipeline
import Testing

@Suite("Consensus")
struct ConsensusBehaviours {
    @Test(
        "is one row per image, also where an older table held several; none without any result",
        arguments: storeBackends)
    func replaced(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(2)
            try await base.store.record([.of(images[0])])
            for image in [images[0], images[0], images[1]] {
                try await base.execute("INSERT INTO consensus (image_id, consensus_data) VALUES (\(image), '{}')")
            }
            try await base.store.updateConsensus(of: images) { findings in
                ConsensusRecord(data: .object(["services": .int(Int64(findings.successes.count))]), processingTime: 2)
            }
            #expect(try await base.store.totals().consensus == 1)
            let reports = try await base.store.report(on: images)
            #expect(reports.map(\.consensus) == [.object(["services": 1]), nil])
            try await base.store.updateConsensus(of: images) { _ in nil }
            #expect(try await base.store.totals().consensus == 0)
        }
    }

    @Test("is one row per image, which a newer one replaces; none without any result", arguments: roleStores)
    func row(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(2)
            try await base.store.record([.of(images[0])])
            for round in 1...2 {
                try await base.store.updateConsensus(of: images) { _ in
                    ConsensusRecord(data: .object(["round": .int(Int64(round))]), processingTime: 2)
                }
                #expect(try await base.store.totals().consensus == 1)
                let reports = try await base.store.report(on: images)
                #expect(reports.map(\.consensus) == [.object(["round": .int(Int64(round))]), nil])
            }
            try await base.store.updateConsensus(of: images) { _ in nil }
            #expect(try await base.store.totals().consensus == 0)
        }
    }

    @Test("is made from the newest rows, the boxes and the enrichments", arguments: roleStores)
    func findings(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([
                .of(image, "blip", #"{"n":1}"#), .of(image, "blip", "{}", status: .error), .of(image, "yolov8"),
            ])
            _ = try await base.update(image, BoxChanges(inserted: [.of("cat")]))
            let box = try await base.boxes(of: image)[0].mergedID
            try await base.store.recordEnrichments(
                [
                    Enrichment(
                        imageID: image, mergedID: box, service: "face", data: .object(["predictions": [1]]),
                        status: .empty)
                ],
                missing: [], of: [image: [box]])
            try await base.store.updateConsensus(of: [image]) { findings in
                ConsensusRecord(
                    data: .array([
                        .string(findings.results.map { "\($0.service) \($0.status)" }.joined(separator: ",")),
                        .string(findings.successes.map(\.service).joined(separator: ",")),
                        .string(findings.boxes.compactMap { $0.box?.label }.joined(separator: ",")),
                        .string(
                            findings.enrichments.map { "\($0.service) \($0.status) \($0.data.text)" }.joined(
                                separator: ",")),
                    ]), processingTime: 0)
            }
            let expected: JSON = [
                "blip error,yolov8 success", "blip,yolov8", "cat", #"face empty {"predictions":[1]}"#,
            ]
            #expect(try await base.store.report(on: [image]).first?.consensus == expected)
        }
    }

    @Test("is made without the rows that older programs left of other services", arguments: storeBackends)
    func otherServices(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([.of(image, "yolov8")])
            _ = try await base.update(image, BoxChanges(inserted: [.of("cat")]))
            let box = try await base.boxes(of: image)[0].mergedID
            try await base.execute(
                """
                INSERT INTO postprocessing (image_id, merged_box_id, service, data, status) VALUES
                (\(image), \(box), 'spatial_enrichment', '{}', 'success'), (\(image), \(box), 'pose', '{}', 'success')
                """)
            try await base.store.updateConsensus(of: [image]) { findings in
                ConsensusRecord(data: .array(findings.enrichments.map { .string($0.service) }), processingTime: 0)
            }
            #expect(try await base.store.report(on: [image]).first?.consensus == ["pose"])
        }
    }

    @Test("is stale while it is missing, and after whatever it rests on has changed", arguments: storeBackends)
    func stale(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(3)
            let image = images[1]
            func stale() async throws -> [ImageID] { try await base.store.imagesWithStaleConsensus(limit: 10) }
            func vote() async throws {
                try await base.store.updateConsensus(of: images) { _ in ConsensusRecord(data: .null, processingTime: 0)
                }
            }
            #expect(try await stale().isEmpty)
            try await base.store.record([.of(image, "yolov8")])
            #expect(try await stale() == [image])
            try await vote()
            // In the same millisecond: neither for ever stale nor missed.
            #expect(try await stale().isEmpty)
            try await base.store.record([.of(image, "blip", status: .error)])
            #expect(try await stale() == [image])
            try await vote()
            _ = try await base.update(image, BoxChanges(inserted: [.of("cat")]))
            #expect(try await stale() == [image])
            try await vote()
            let box = try await base.boxes(of: image)[0].mergedID
            _ = try await base.update(image, BoxChanges(kept: [.init(mergedID: box, box: .of("cat"))]))
            #expect(try await stale().isEmpty)
            _ = try await base.update(image, BoxChanges(kept: [.init(mergedID: box, box: .of("cat", x: 9))]))
            #expect(try await stale() == [image])
            try await vote()
            try await base.store.recordEnrichments(
                [Enrichment(imageID: image, mergedID: box, service: "face", data: .null, status: .success)],
                missing: [],
                of: [image: [box]])
            #expect(try await stale() == [image])
            try await vote()
            _ = try await base.update(image, BoxChanges(removed: [box]))
            #expect(try await stale() == [image])
            try await vote()
            try await base.execute(
                "INSERT INTO results (image_id, service, status) VALUES (\(images[2]), 'ocr', 'success')")
            #expect(try await stale() == [images[2]])
            try await vote()
            try await base.execute("DELETE FROM consensus WHERE image_id = \(image)")
            #expect(try await stale() == [image])
            #expect(try await base.store.imagesWithStaleConsensus(limit: 0).isEmpty)
        }
    }

    @Test("is not stale for an image of which nothing is left", arguments: storeBackends)
    func forgotten(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([.of(image)])
            try await base.store.updateConsensus(of: [image]) { _ in ConsensusRecord(data: .null, processingTime: 0) }
            for table in ["results", "merged_boxes", "postprocessing", "consensus"] {
                try await base.execute("DELETE FROM \(table) WHERE image_id = \(image)")
            }
            #expect(try await base.store.imagesWithStaleConsensus(limit: 10).isEmpty)
        }
    }
}
