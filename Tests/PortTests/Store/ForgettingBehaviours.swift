import Foundation
import Model
import Pipeline
import Testing

@Suite("Forgetting")
struct ForgettingBehaviours {
    /// An image of which everything is known.
    private func known(_ image: ImageID, _ base: StoreBase) async throws {
        try await base.store.record([.of(image, "yolov8"), .of(image, "clip"), .of(image, "clip", status: .error)])
        _ = try await base.update(image, BoxChanges(inserted: [.of("cat"), .of("person")]))
        let boxes = try await base.boxes(of: image).map(\.mergedID)
        try await base.store.recordEnrichments(
            [Enrichment(imageID: image, mergedID: boxes[0], service: "colors", data: .null, status: .success)],
            missing: [MissingEnrichment(imageID: image, mergedID: boxes[1], service: "face")], of: [image: boxes])
        try await base.store.updateConsensus(of: [image]) { _ in ConsensusRecord(data: .null, processingTime: 1) }
    }

    @Test("drops all of these images, nothing of others; the images stay; again is nothing", arguments: storeBackends)
    func forgetting(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(3)
            for image in images { try await known(image, base) }
            // What another program left: several consensus rows, services that farm does not know.
            try await base.execute(
                """
                INSERT INTO consensus (image_id, consensus_data) VALUES (\(images[0]), '{}');
                INSERT INTO postprocessing (image_id, merged_box_id, service) VALUES (\(images[0]), 99, 'theirs')
                """)
            let there = try await base.store.holdings(of: [images[0], images[1], images[2] + 99])
            #expect(there == Totals(images: 2, results: 6, mergedBoxes: 4, consensus: 3, postprocessing: 3))
            #expect(try await base.store.totals().results == 9, "looking drops nothing")
            #expect(try await base.store.forget([images[1], images[0], images[0], images[2] + 99]) == there)
            #expect(
                try await base.store.totals()
                    == Totals(images: 3, results: 3, mergedBoxes: 2, consensus: 1, postprocessing: 1))
            #expect(try await base.store.missingEnrichments() == ["face": 1])
            #expect(try await base.store.imagesWithStaleConsensus(limit: 9).isEmpty)
            #expect(try await base.store.forget([images[0], images[1]]) == Totals())
            #expect(try await base.store.holdings(of: [images[0], images[1]]) == Totals())
            #expect(try await base.store.forget([]) == Totals())
            #expect(try await base.select("SELECT count(*) FROM farm_stale") == ["0"])
        }
    }

    @Test("lets what is recorded later stay, to be merged and voted on", arguments: storeBackends)
    func later(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await known(image, base)
            _ = try await base.store.forget([image])
            let job = UUID()
            try await base.store.record([.of(image, "clip", jobID: job)])
            #expect(try await base.store.holdings(of: [image]) == Totals(images: 1, results: 1))
            #expect(try await base.store.imagesWithStaleConsensus(limit: 9) == [image])
            _ = try await base.store.forget([image])
            // A job that was forgotten is not done: it may come again.
            let standing = try await base.store.standing(
                of: [JobKey(imageID: image, jobID: job, redelivered: false)], workerID: "w")
            guard case .open = standing[0] else { return #expect(Bool(false), "\(standing)") }
        }
    }

    @Test("waits for a vote that is under way, so that its consensus does not outlive it", arguments: storeBackends)
    func underWay(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await known(image, base)
            let other = try await base.connect()
            let (begun, going) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await base.store.updateConsensus(of: [image]) { _ in
                        begun.signal()
                        // Until the other one is at the lock, or nearly: whatever comes first, nothing may be left.
                        going.wait()
                        usleep(50_000)
                        return ConsensusRecord(data: .null, processingTime: 2)
                    }
                }
                group.addTask {
                    await withCheckedContinuation { continuation in
                        DispatchQueue.global().async {
                            begun.wait()
                            continuation.resume()
                        }
                    }
                    going.signal()
                    _ = try await other.forget([image])
                }
                try await group.waitForAll()
            }
            #expect(try await base.store.totals() == Totals(images: 1))
            #expect(try await base.store.imagesWithStaleConsensus(limit: 9).isEmpty)
        }
    }
}
