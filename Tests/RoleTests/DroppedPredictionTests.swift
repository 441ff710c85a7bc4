import Doubles
import Foundation
import Model
import Pipeline
import Roles
import Testing

@Suite("Predictions that do not count")
struct DroppedPredictionTests {
    private let dog = detection("dog", "🐶", 0.9, Box(x: 1, y: 2, width: 30, height: 40))
    private let flat = detection("dog", "🐶", 0.9, Box(x: 1, y: 2, width: 30, height: 0))
    private let unnamed = detection("", "🐶", 0.9, Box(x: 1, y: 2, width: 30, height: 40))

    /// All in one batch.
    private func merge(_ images: [ImageID], _ bench: Bench) async throws -> SaidLines {
        let said = SaidLines()
        let known = try await bench.store.images(images)
        let merging = Recomputation(bench.mergerHandler(log: said.logger), queue: bench.queue)
        _ = try await merging.run(images.compactMap { known[$0] })
        return said
    }

    @Test("are told once a batch, by service and reason")
    func told() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(3)
            for image in images.prefix(2) {
                try await bench.record("yolov8", image, [dog, flat, flat, unnamed])
                try await bench.record("rtdetr", image, [dog])
            }
            try await bench.record("rtdetr", images[2], [.string("no object"), dog])
            let said = try await merge(images, bench)
            #expect(
                said.lines == [
                    "1 prediction of rtdetr in 1 image does not count: 1 no object",
                    "6 predictions of yolov8 in 2 images do not count: 4 a box without area, 2 an empty label",
                ])
        }
    }

    @Test("where all count nothing is said")
    func silent() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1)
            try await bench.record("yolov8", images[0], [dog])
            let said = try await merge(images, bench)
            #expect(said.lines.isEmpty)
        }
    }
}
