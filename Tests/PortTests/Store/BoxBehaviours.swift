import Foundation
import Model
import Pipeline
import Synchronization
import Testing

@Suite("Merged boxes")
struct BoxBehaviours {
    private let detector = #"{"predictions":[]}"#

    @Test("are fused from the newest successful result of each named service", arguments: roleStores)
    func input(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([
                .of(image, "yolov8", #"{"predictions":[1]}"#), .of(image, "yolov8", #"{"predictions":[2]}"#),
                .of(image, "yolov8", "{}", status: .error),
                .of(image, "rtdetr", #"{"predictions":[3]}"#), .of(image, "blip", #"{"predictions":[4]}"#),
            ])
            let seen = Mutex<[StoredResult]>([])
            _ = try await base.store.updateBoxes(of: [image], from: ["yolov8", "rtdetr", "detectron2"], workerID: "m") {
                results, _ in
                seen.withLock { $0 = results }
                return BoxChanges()
            }
            let results = seen.withLock { $0 }.sorted { $0.service < $1.service }
            #expect(results.map(\.service) == ["rtdetr", "yolov8"])
            #expect(results.map { $0.data["predictions"] } == [[3], [2]])
        }
    }

    @Test("are reported in the images' order, none of an image without any", arguments: roleStores)
    func reported(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(3)
            for (image, labels) in [(images[0], ["cat", "dog"]), (images[2], ["cup"])] {
                try await base.store.record([.of(image, "yolov8", detector)])
                _ = try await base.update(image, BoxChanges(inserted: labels.map { .of($0) }))
            }
            let boxes = try await base.store.boxes(of: [images[2], images[1], images[0], 4711])
            #expect(boxes.map { $0.map { $0.box?.label } } == [["cup"], [], ["cat", "dog"], []])
            #expect(boxes[2].map(\.mergedID) == (try await base.boxes(of: images[0])).map(\.mergedID))
            #expect(try await base.store.boxes(of: []).isEmpty)
        }
    }

    @Test("stay, go with their enrichments, or come", arguments: roleStores)
    func changes(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([.of(image, "yolov8", detector)])
            let first = try await base.update(image, BoxChanges(inserted: [.of("cat"), .of("dog"), .of("cup")]))
            #expect(first == [image: 3])
            let boxes = try await base.boxes(of: image)
            #expect(boxes.map { $0.box?.label } == ["cat", "dog", "cup"])
            let (cat, dog, cup) = (boxes[0].mergedID, boxes[1].mergedID, boxes[2].mergedID)
            try await base.store.recordEnrichments(
                [
                    Enrichment(
                        imageID: image, mergedID: cat, service: "colors", data: .object(["a": 1]), status: .success),
                    Enrichment(
                        imageID: image, mergedID: dog, service: "colors", data: .object(["b": 1]), status: .success),
                ], missing: [MissingEnrichment(imageID: image, mergedID: dog, service: "face")],
                of: [image: boxes.map(\.mergedID)])

            let changes = BoxChanges(
                kept: [.init(mergedID: cat, box: .of("cat", sources: [1, 2])), .init(mergedID: cup, box: .of("cup"))],
                removed: [dog], inserted: [.of("bird")])
            #expect(try await base.update(image, changes) == [image: 3])
            let after = try await base.boxes(of: image)
            #expect(after.map { $0.box?.label } == ["cat", "cup", "bird"])
            #expect(after.prefix(2).map(\.mergedID) == [cat, cup])
            #expect(after[0].box?.sourceResultIDs == [1, 2])
            #expect(!boxes.map(\.mergedID).contains(after[2].mergedID))
            let enrichments = try #require(try await base.store.report(on: [image]).first).findings.enrichments
            #expect(enrichments.map(\.mergedID) == [cat])
            #expect(try await base.store.missingEnrichments().isEmpty)
        }
    }

    @Test("that go leave another program's rows about them", arguments: storeBackends)
    func otherRows(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([.of(image, "yolov8", detector)])
            _ = try await base.update(image, BoxChanges(inserted: [.of("cat")]))
            let box = try await base.boxes(of: image)[0].mergedID
            try await base.execute(
                """
                INSERT INTO postprocessing (image_id, merged_box_id, service, data, status) VALUES
                (\(image), \(box), 'spatial_enrichment', '{}', 'success'), (\(image), \(box), 'face', '{}', 'success')
                """)
            _ = try await base.update(image, BoxChanges(removed: [box]))
            #expect(try await base.select("SELECT service FROM postprocessing") == ["spatial_enrichment"])
        }
    }

    @Test("that do not change are not written", arguments: storeBackends)
    func untouched(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([.of(image, "yolov8", detector)])
            _ = try await base.update(image, BoxChanges(inserted: [.of("cat"), .of("dog")]))
            let boxes = try await base.boxes(of: image)
            try await base.advance(.seconds(10))
            let before = try await base.select("SELECT created FROM merged_boxes ORDER BY merged_id")
            let kept = [
                BoxChanges.Kept(mergedID: boxes[0].mergedID, box: .of("cat")),
                BoxChanges.Kept(mergedID: boxes[1].mergedID, box: .of("dog", x: 5)),
            ]
            _ = try await base.update(image, BoxChanges(kept: kept))
            let after = try await base.select("SELECT created FROM merged_boxes ORDER BY merged_id")
            #expect(after[0] == before[0])
            #expect(after[1] != before[1])
        }
    }

    @Test("of an image without any result of the services stay as they are", arguments: roleStores)
    func noResult(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(2)
            try await base.store.record([.of(images[0], "yolov8", detector), .of(images[1], "blip", detector)])
            _ = try await base.store.updateBoxes(of: [images[1]], from: ["blip"], workerID: "m") { _, _ in
                BoxChanges(inserted: [.of("old")])
            }
            let counts = try await base.store.updateBoxes(of: images, from: ["yolov8"], workerID: "m") { _, boxes in
                BoxChanges(removed: boxes.map(\.mergedID), inserted: [.of("cat")])
            }
            #expect(counts == [images[0]: 1, images[1]: 1])
            #expect(try await base.boxes(of: images[1]).map { $0.box?.label } == ["old"])
        }
    }

    @Test("of one image that two processes merge at once are as if one had", arguments: roleStores)
    func concurrent(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(3)
            try await base.store.record(images.map { .of($0, "yolov8", detector) })
            let stores = [base.store, try await base.connect()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<20 {
                    group.addTask {
                        // Everything goes and comes anew: what one has read must not be what the other one writes.
                        _ = try await stores[round % 2].updateBoxes(
                            of: round % 3 == 0 ? images : images.reversed(), from: ["yolov8"], workerID: "m\(round)"
                        ) { _, boxes in
                            BoxChanges(removed: boxes.map(\.mergedID), inserted: [.of("cat"), .of("dog")])
                        }
                    }
                }
                try await group.waitForAll()
            }
            for image in images {
                #expect(try await base.boxes(of: image).map { $0.box?.label } == ["cat", "dog"])
            }
        }
    }
}

extension StoreBase {
    /// Applies these changes as a merge.
    func update(_ image: ImageID, _ changes: BoxChanges) async throws -> [ImageID: Int] {
        try await store.updateBoxes(of: [image], from: ["yolov8"], workerID: "m") { _, _ in changes }
    }

    func boxes(of image: ImageID) async throws -> [StoredBox] {
        try #require(try await store.enrichmentWork(of: [image]).first).boxes
    }
}
