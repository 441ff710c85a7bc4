import Doubles
import Foundation
import Model
import Pipeline
import Roles
import Testing

@Suite("Merging and consensus")
struct PostProcessingTests {
    // MARK: Merger

    @Test("the merger fuses what the detectors found and triggers the enricher")
    func merges() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            for detector in Bench.detectors { try await bench.record(detector, image, [CropServices.person]) }
            try await bench.trigger(.merger, [image, image, image])
            try await bench.run(PostProcessing.merger.queue, bench.merger.run)

            let boxes = try await bench.report(image).findings.boxes.compactMap(\.box)
            #expect(boxes.map(\.clusterID) == ["person_1"])
            #expect(boxes.first?.contributingServices == ["detectron2", "rtdetr", "yolov8"])
            #expect(try await bench.drainedTriggers(.enricher).allSatisfy { $0.imageID == image })
            #expect(try await bench.drainedTriggers(.consensus).isEmpty)
        }
    }

    @Test("an honest answer without boxes goes on to the consensus")
    func mergesNothing() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            try await bench.record("yolov8", image, [])
            try await bench.trigger(.merger, [image])
            try await bench.run(PostProcessing.merger.queue, bench.merger.run)
            #expect(try await bench.drainedTriggers(.consensus).map(\.imageID) == [image])
            #expect(try await bench.drainedTriggers(.enricher).isEmpty)
        }
    }

    @Test("a box that did not change keeps its merged_id and its enrichments")
    func keepsBoxes() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            try await bench.record("yolov8", image, [CropServices.person, CropServices.dog])
            try await bench.trigger(.merger, [image])
            try await bench.run(PostProcessing.merger.queue, bench.merger.run)
            try await bench.run(
                PostProcessing.enricher.queue,
                bench.enricher([CropServices.face(), CropServices.pose(), CropServices.colors()]).run)
            let before = try await bench.report(image).findings

            try await bench.record("rtdetr", image, [CropServices.person])
            try await bench.trigger(.merger, [image])
            try await bench.run(PostProcessing.merger.queue, bench.merger.run)
            let after = try await bench.report(image).findings
            let kept = try #require(before.boxes.first { $0.box?.label == "person" })
            #expect(after.boxes.contains { $0.mergedID == kept.mergedID && $0.box?.contributingServices.count == 2 })
            #expect(
                after.enrichments.filter { $0.mergedID == kept.mergedID }.map(\.service).sorted() == Enrichment.services
            )
        }
    }

    @Test("what is no trigger is buried, and triggers behind it are taken", arguments: PostProcessing.allCases)
    func poisonTriggers(_ role: PostProcessing) async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            try await bench.record("yolov8", image, [CropServices.dog])
            let bodies = ["", "{", "null", #"{"image_id": -1}"#, #"{"image_id": 4711}"#]
            try await bench.queue.publish(bodies.map { Message(queue: role.queue, body: Array($0.utf8)) })
            try await bench.trigger(role, [image])
            let enricher = bench.enricher([CropServices.colors()])
            let (merger, consensusRole) = (bench.merger, bench.consensusRole)
            try await bench.run(role.queue) { drain in
                switch role {
                case .merger: try await merger.run(drain)
                case .enricher: try await enricher.run(drain)
                case .consensus: try await consensusRole.run(drain)
                }
            }
            #expect(try await bench.depth(role.queue).dead == bodies.count)
        }
    }

    // MARK: Consensus

    @Test("the consensus counts the votes of all services and is replaced, not added to")
    func votes() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            for (service, predictions) in [("yolov8", [CropServices.dog]), ("clip", [CropServices.dog])] {
                try await bench.record(service, image, predictions)
                try await bench.trigger(.consensus, [image, image])
                try await bench.run(PostProcessing.consensus.queue, bench.consensusRole.run)
            }
            let consensus = try await bench.report(image).consensus
            let dogs = consensus?["votes"]?["consensus"]?.arrayValue?.first
            #expect(dogs?["emoji"] == "🐶")
            #expect(dogs?["votes"] == 2)
            #expect(consensus?["services_list"] == ["clip", "yolov8"])
            #expect(try await bench.store.totals().consensus == 1)
            #expect(try await bench.store.imagesWithStaleConsensus(limit: 10).isEmpty)
        }
    }
}
