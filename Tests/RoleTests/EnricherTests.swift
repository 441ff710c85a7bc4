import Doubles
import Foundation
import Model
import Pipeline
import Roles
import Testing

@Suite("Enrichment")
struct EnricherTests {
    private func merged(_ bench: Bench, _ predictions: [JSON], path: String? = nil) async throws -> ImageID {
        let image = try await bench.addImages(1)[0]
        try await bench.record("yolov8", image, predictions)
        try await bench.trigger(.merger, [image])
        try await bench.run(PostProcessing.merger.queue, bench.merger.run)
        return image
    }

    @Test("the enricher asks face and pose about persons, colors about every box, with one decode an image")
    func enriches() async throws {
        try await Bench.with { bench in
            let image = try await merged(bench, [CropServices.person, CropServices.dog])
            let services = [CropServices.face(), CropServices.pose(), CropServices.colors()]
            try await bench.run(PostProcessing.enricher.queue, bench.enricher(services).run)

            let findings = try await bench.report(image).findings
            let byBox = Dictionary(grouping: findings.enrichments, by: \.mergedID).mapValues {
                $0.map(\.service).sorted()
            }
            for stored in findings.boxes {
                #expect(byBox[stored.mergedID] == (stored.box?.label == "person" ? Enrichment.services : ["colors"]))
            }
            #expect(bench.cropper.decodes == 1)
            let calls: [Int] = services.map(\.calls.count)
            #expect(calls == [1, 1, 2])
            #expect(try await bench.drainedTriggers(.consensus).map(\.imageID) == [image])
        }
    }

    @Test("what lies in a crop is placed in the image too")
    func placesInImage() async throws {
        try await Bench.with { bench in
            let image = try await merged(bench, [CropServices.person])
            try await bench.run(
                PostProcessing.enricher.queue,
                bench.enricher([CropServices.face(), CropServices.pose(), CropServices.colors()]).run)
            let enrichments = try await bench.report(image).findings.enrichments
            let face = try #require(enrichments.first { $0.service == "face" }?.data)
            let prediction = try #require(face["predictions"]?.arrayValue?.first)
            #expect(Box(prediction["image_bbox"]) == Box(x: 110, y: 120, width: 30, height: 40))
            #expect(prediction["image_point"]?["nose"] == .object(["x": 112.0, "y": 124.0]))
            #expect(Box(face["crop"]) == Box(x: 100, y: 100, width: 200, height: 400))
            #expect(face["cluster_id"] == "person_1")
            #expect(face["label"] == "person")
            let pose = try #require(enrichments.first { $0.service == "pose" }?.data)
            let nose = pose["predictions"]?.arrayValue?.first?["landmarks"]?["nose"]
            #expect(nose?["image_point"] == .object(["x": 200.0, "y": 200.0]))
        }
    }

    @Test("what has an answer is not asked again; an answer without predictions is empty, and an answer")
    func asksOnce() async throws {
        try await Bench.with { bench in
            let image = try await merged(bench, [CropServices.dog])
            let colors = ScriptedService("colors", predictions: [])
            for _ in 0..<2 {
                try await bench.trigger(.enricher, [image])
                try await bench.run(PostProcessing.enricher.queue, bench.enricher([colors]).run)
            }
            #expect(colors.calls.count == 1)
            #expect(try await bench.report(image).findings.enrichments.map(\.status) == [.empty])
        }
    }

    @Test("a service that fails leaves an error row, and is asked again at the next trigger")
    func errorRow() async throws {
        try await Bench.with { bench in
            let image = try await merged(bench, [CropServices.dog])
            let colors = ScriptedService("colors") { _, call in
                guard call == 1 else { return .answered(.of("colors", [.object(["type": "color_analysis"])])) }
                return .failed(
                    AnalysisFailure(
                        kind: .http, message: "500", httpStatus: 500, tries: 3,
                        firstFailure: Date(timeIntervalSince1970: 1)))
            }
            try await bench.run(PostProcessing.enricher.queue, bench.enricher([colors]).run)
            #expect(try await bench.report(image).findings.enrichments.map(\.status) == [.error])
            try await bench.trigger(.enricher, [image])
            try await bench.run(PostProcessing.enricher.queue, bench.enricher([colors]).run)
            #expect(try await bench.report(image).findings.enrichments.map(\.status) == [.success])
        }
    }

    @Test(
        "while a service is down the others are written and the consensus is triggered; when it is back the rest follows"
    )
    func serviceDown() async throws {
        try await Bench.with { bench in
            let image = try await merged(bench, [CropServices.person])
            let (face, pose, colors) = (CropServices.face(), CropServices.pose(), CropServices.colors())
            face.setOutage("connection refused")
            let role = bench.enricher([face, pose, colors])
            try await bench.run(role.run) {
                // The trigger is published after the rows are written.
                guard try await bench.report(image).findings.enrichments.count >= 2,
                    try await bench.depth(PostProcessing.consensus.queue).waiting > 0
                else { return false }
                if await face.outage() != nil {
                    #expect(try await bench.store.missingEnrichments() == ["face": 1])
                    #expect(try await bench.depth(PostProcessing.consensus.queue).waiting == 1)
                    face.setOutage(nil)
                }
                return try await bench.report(image).findings.enrichments.count == 3
            }
            #expect(try await bench.store.missingEnrichments().isEmpty)
            #expect(pose.calls.count == 1)
            #expect(colors.calls.count == 1)
        }
    }

    @Test("while the enricher is paused, no triggers for what is missing pile up; then the rest follows")
    func pausedEnricher() async throws {
        try await Bench.with { bench in
            let image = try await merged(bench, [CropServices.person])
            let face = CropServices.face()
            face.setOutage("connection refused")
            try await bench.run(bench.enricher([face]).run) {
                try await bench.store.missingEnrichments() == ["face": 1]
            }
            face.setOutage(nil)
            let gate = ControlGate("spatial_enrichment") { _, _ in .unlimited }
            var control = ServiceControl(service: "spatial_enrichment")
            control.isPaused = true
            gate.adopt(control)
            var options = bench.options(PostProcessing.enricher.queue)
            options.control = gate
            let role = EnricherRole(options, enricher: bench.enrichment([face]), queue: bench.queue)
            try await bench.run(role.run) {
                // It has every opportunity; that it does nothing, no event tells.
                for _ in 0..<20 where gate.isPaused {
                    bench.time.advance(by: .seconds(60))
                    try await Task.sleep(for: .milliseconds(2))
                }
                #expect(try await bench.depth(PostProcessing.enricher.queue).waiting <= 1)
                control.isPaused = false
                gate.adopt(control)
                return try await bench.report(image).findings.enrichments.count == 1
            }
        }
    }

    @Test("a service that comes back is asked about what was noted while the make-up looked for it and found nothing")
    func notedMeanwhile() async throws {
        try await Bench.with { bench in
            let image = try await merged(bench, [CropServices.person])
            let face = CropServices.face()
            face.setOutage("connection refused")
            let store = TardyStore(bench.store) {
                try await eventually { try await bench.depth(PostProcessing.consensus.queue).waiting == 1 }
                face.setOutage(nil)
            }
            let enricher = Enricher(
                identity: bench.identity("spatial_enrichment"), services: [face], store: store,
                pictures: bench.loader(), time: bench.time, missing: BackfillSignal())
            let role = EnricherRole(
                bench.options(PostProcessing.enricher.queue), enricher: enricher, queue: bench.queue)
            try await bench.run(role.run) { try await bench.report(image).findings.enrichments.count == 1 }
            #expect(try await bench.store.missingEnrichments().isEmpty)
        }
    }

    @Test("a slow enricher drops nothing that another one noted about boxes that came meanwhile")
    func slowEnricher() async throws {
        try await Bench.with { bench in
            let image = try await merged(bench, [CropServices.dog])
            let slow = bench.enrichment([CropServices.colors()])
            let work = try #require(try await bench.store.enrichmentWork(of: [image]).first)
            let outcome = await slow.handle(work)

            try await bench.record("yolov8", image, [CropServices.dog, CropServices.person])
            try await bench.trigger(.merger, [image])
            try await bench.run(PostProcessing.merger.queue, bench.merger.run)
            let colors = CropServices.colors()
            colors.setOutage("connection refused")
            try await bench.run(
                PostProcessing.enricher.queue, bench.enricher([CropServices.face(), CropServices.pose(), colors]).run)
            #expect(try await bench.store.missingEnrichments() == ["colors": 2])

            _ = try await slow.commit([(work, outcome)])
            #expect(try await bench.store.missingEnrichments() == ["colors": 1])
        }
    }

    @Test("a picture that cannot be read leaves error rows that say why, is not tried again, and the consensus goes on")
    func unreadable() async throws {
        try await Bench.with(unreadable: ["/photos/1.jpg"]) { bench in
            let image = try await merged(bench, [CropServices.dog])
            let colors = CropServices.colors()
            for _ in 0..<2 {
                try await bench.run(PostProcessing.enricher.queue, bench.enricher([colors]).run)
                try await bench.trigger(.enricher, [image])
            }
            let rows = try await bench.report(image).findings.enrichments
            #expect(rows.map(\.status) == [.error])
            #expect(rows.first?.data["error"]?["message"] == "/photos/1.jpg: no such file")
            #expect(colors.calls.isEmpty)
            #expect(try await bench.drainedTriggers(.consensus).count == 2)
        }
    }

    @Test("a box that cannot be cut leaves an error row that says why; the others are asked about")
    func uncut() async throws {
        try await Bench.with { bench in
            let wide = detection("bus", "🚌", 0.95, Box(x: 0, y: 0, width: 900, height: 100))
            let image = try await merged(bench, [CropServices.dog, wide])
            let colors = CropServices.colors()
            let loader = bench.loader(PaperCropper(widest: 800))
            try await bench.run(PostProcessing.enricher.queue, bench.enricher([colors], pictures: loader).run)
            #expect(colors.calls.count == 1)
            let rows = try await bench.report(image).findings.enrichments
            #expect(Set(rows.map(\.status)) == [.success, .error])
            #expect(rows.first { $0.status == .error }?.data["error"]?["message"] == "too wide")
        }
    }

    @Test("a box outside the image leaves an error row; the others are asked about")
    func outside() async throws {
        try await Bench.with { bench in
            let far = detection("cat", "🐱", 0.95, Box(x: 5000, y: 5000, width: 10, height: 10))
            let image = try await merged(bench, [CropServices.dog, far])
            let colors = CropServices.colors()
            try await bench.run(PostProcessing.enricher.queue, bench.enricher([colors]).run)
            #expect(colors.calls.count == 1)
            let statuses = try await bench.report(image).findings.enrichments.map(\.status)
            #expect(Set(statuses) == [.success, .error])
        }
    }
}
