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

    @Test(
        "removes images with all that hangs on them, and nothing of others; again is nothing", arguments: storeBackends)
    func removing(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(3)
            for image in images { try await known(image, base) }
            try await base.execute(
                """
                INSERT INTO consensus (image_id, consensus_data) VALUES (\(images[0]), '{}');
                INSERT INTO postprocessing (image_id, merged_box_id, service) VALUES (\(images[0]), 99, 'theirs')
                """)
            let gone = try await base.store.remove([images[1], images[0], images[0], images[2] + 99])
            #expect(gone == Totals(images: 2, results: 6, mergedBoxes: 4, consensus: 3, postprocessing: 3))
            #expect(
                try await base.store.totals()
                    == Totals(images: 1, results: 3, mergedBoxes: 2, consensus: 1, postprocessing: 1))
            #expect(try await base.store.missingEnrichments() == ["face": 1])
            #expect(try await base.select("SELECT count(*) FROM farm_stale") == ["0"])
            #expect(try await base.store.remove([images[0], images[1]]) == Totals())
            #expect(try await base.store.remove([]) == Totals())
        }
    }

    @Test("takes no result of an image that is gone, also where none is left", arguments: storeBackends)
    func lateResult(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(2)
            func late(_ image: ImageID, beside other: ImageID?) async throws {
                let (job, sound) = (UUID(), UUID())
                let rows = [AnalysisResult.of(image, jobID: job)] + (other.map { [.of($0, jobID: sound)] } ?? [])
                #expect(try await base.store.record(rows) == [job])
                let standing = try await base.store.standing(
                    of: [JobKey(imageID: image, jobID: job, redelivered: true)], workerID: "w")
                #expect(standing == [.unknownImage])
                #expect(try await base.store.images([image]).isEmpty)
            }
            _ = try await base.store.remove([images[0]])
            try await late(images[0], beside: images[1])
            #expect(try await base.store.totals() == Totals(images: 1, results: 1))
            _ = try await base.store.remove([images[1]])
            try await late(images[1], beside: nil)
            #expect(try await base.store.totals() == Totals())
            // What another program has written of nobody is nobody's to vote on.
            try await base.execute(
                "INSERT INTO results (image_id, service, data, status) VALUES (\(images[1]), 'clip', '{}', 'success')")
            #expect(try await base.store.imagesWithStaleConsensus(limit: 9).isEmpty)
        }
    }

    // MARK: Of services

    /// A consensus as the voter writes it, of these services.
    private func vote(_ image: ImageID, _ services: [String], failed: [String] = [], _ base: StoreBase) async throws {
        @Sendable func list(_ names: [String]) -> JSON { .array(names.map(JSON.string)) }
        try await base.store.updateConsensus(of: [image]) { _ in
            ConsensusRecord(
                data: .object(["services_list": list(services), "services_failed": list(failed)]), processingTime: 1)
        }
    }

    @Test(
        "forgets what a service said: its results, boxes of its own, its enrichments, votes", arguments: storeBackends)
    func forgettingServices(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(4)
            // Seen by both, by the one that goes, by the one that stays.
            var (both, own, other) = (MergedBox.of("cat"), MergedBox.of("dog"), MergedBox.of("cow"))
            both.contributingServices = ["rtdetr", "yolov8"]
            own.contributingServices = ["rtdetr"]
            other.contributingServices = ["yolov8"]
            try await base.store.record([
                .of(images[0], "yolov8"), .of(images[0], "rtdetr"), .of(images[1], "rtdetr"), .of(images[2], "clip"),
                .of(images[3], "clip"),
            ])
            _ = try await base.update(images[0], BoxChanges(inserted: [both, own, other]))
            let boxes = try await base.boxes(of: images[0]).map(\.mergedID)
            try await base.store.recordEnrichments(
                boxes.map {
                    Enrichment(imageID: images[0], mergedID: $0, service: "colors", data: .null, status: .success)
                },
                missing: boxes.map { MissingEnrichment(imageID: images[0], mergedID: $0, service: "face") },
                of: [images[0]: boxes])
            try await vote(images[0], ["rtdetr", "yolov8"], base)
            try await vote(images[1], ["rtdetr"], base)
            try await vote(images[2], ["clip"], failed: ["rtdetr"], base)
            try await vote(images[3], ["clip"], base)
            try await base.execute(
                """
                INSERT INTO merged_boxes (image_id, merged_data) VALUES (\(images[3]), '[]'), (\(images[3]), NULL);
                INSERT INTO consensus (image_id, consensus_data) VALUES (\(images[3]), '[]'), (\(images[3]), NULL)
                """)

            let there = try await base.store.holdings(of: images, services: ["rtdetr"])
            #expect(there == Totals(images: 3, results: 2, mergedBoxes: 1, consensus: 3, postprocessing: 1))
            let (dropped, changed) = try await base.store.forget(images, services: ["rtdetr"])
            #expect(dropped == there)
            // Of the second nothing is left; the fourth has the boxes of another program, which nobody has voted on.
            #expect(changed == [images[0], images[2], images[3]])
            #expect(
                try await base.boxes(of: images[0]).compactMap(\.box?.label).sorted() == ["cat", "cow"])
            #expect(try await base.store.missingEnrichments() == ["face": 2])
            #expect(
                try await base.store.totals()
                    == Totals(images: 4, results: 3, mergedBoxes: 4, consensus: 3, postprocessing: 2))

            // Nobody has computed them since, as after a crash: they are named again.
            let again = try await base.store.forget(images, services: ["rtdetr"])
            #expect(again.dropped == Totals())
            #expect(again.changed == changed)
            // The vote comes before the merge: the box that it took part in still has to be merged.
            for image in changed { try await vote(image, ["clip"], base) }
            #expect(try await base.store.forget(images, services: ["rtdetr"]).changed == [images[0]])
            var merged = both
            merged.contributingServices = ["yolov8"]
            _ = try await base.update(images[0], BoxChanges(kept: [.init(mergedID: boxes[0], box: merged)]))
            try await vote(images[0], ["yolov8"], base)
            #expect(try await base.store.forget(images, services: ["rtdetr"]).changed.isEmpty)
        }
    }

    @Test("forgets a crop service's answers, and only those", arguments: storeBackends)
    func forgettingCropService(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await known(image, base)
            let there = Totals(images: 1, consensus: 1, postprocessing: 1)
            #expect(try await base.store.holdings(of: [image], services: ["face", "colors"]) == there)
            let (dropped, changed) = try await base.store.forget([image], services: ["face", "colors"])
            #expect(dropped == there)
            #expect(changed == [image])
            #expect(try await base.store.totals() == Totals(images: 1, results: 3, mergedBoxes: 2))
            #expect(try await base.store.missingEnrichments().isEmpty)
        }
    }
}
