import Doubles
import Foundation
import Model
import Operations
import Pipeline
import Testing
import Waiting

@Suite("Searching images")
struct SearchBehaviours {
    /// An image as it was put there, and what it must be found by.
    private struct Known {
        var image: Image
        var item: Shelf.Item

        var standing: ImageStanding {
            ImageStanding(
                answered: item.answered.sorted(), failed: item.failed.sorted(), hasConsensus: item.emoji != nil,
                disagrees: item.answered.filter(Shelf.detectors.contains).count > 1
                    && item.boxes.contains { $0.by.count < 2 })
        }

        func matches(_ query: ImageQuery) -> Bool {
            let unfused = item.answered.contains("rtdetr") ? item.unfused : nil
            func seen(_ label: String) -> Double? {
                item.boxes.filter { $0.label == label }.map(\.confidence).max()
                    ?? (query.includesUnfused && unfused == label ? 0.3 : nil)
            }
            if let group = query.group, image.group != group { return false }
            if let label = query.label, (seen(label) ?? -1) < query.minConfidence ?? 0 { return false }
            if query.label == nil, let confidence = query.minConfidence,
                (item.boxes.map(\.confidence).max() ?? 0) < confidence
            {
                return false
            }
            let votes = Dictionary(uniqueKeysWithValues: (item.emoji ?? []).map { ($0.emoji, $0.votes) })
            if let emoji = query.emoji, (votes[emoji] ?? -1) < query.minVotes ?? 0 { return false }
            if query.emoji == nil, let minimum = query.minVotes, (votes.values.max() ?? 0) < minimum { return false }
            if let text = query.text?.lowercased(), !(image.filename ?? "").lowercased().contains(text),
                !(image.url ?? "").lowercased().contains(text)
            {
                return false
            }
            return query.matches(standing)
        }
    }

    private func fill(_ base: StoreBase, _ random: inout SplitMix64) async throws -> [Known] {
        let new = (0..<40).map { number in
            NewImage(
                filename: "IMG_\(number).jpg", url: number % 3 == 0 ? "http://h/Trip/\(number)" : nil,
                group: ["sea", "town", nil].randomElement(using: &random) ?? nil)
        }
        let ids = try await base.store.add(new, move: false).ids
        var known: [Known] = []
        for (id, new) in zip(ids, new) {
            var item = Shelf.Item()
            for service in Shelf.expected {
                switch Int.random(in: 0..<5, using: &random) {
                case 0: break
                case 1: item.failed.append(service)
                default: item.answered.append(service)
                }
            }
            if !item.answered.isEmpty {
                item.boxes = ["cat", "dog", "giraffe"].filter { _ in Bool.random(using: &random) }.map {
                    label -> Shelf.Item.Seen in
                    let by = Shelf.detectors.filter { _ in Bool.random(using: &random) }
                    return (label, Double(Int.random(in: 0...20, using: &random)) / 20, by.isEmpty ? ["yolov8"] : by)
                }
                item.unfused = Bool.random(using: &random) ? "lion" : nil
            }
            if !item.answered.isEmpty, Int.random(in: 0..<4, using: &random) > 0 {
                item.emoji = ["🐱", "🐶"].filter { _ in Bool.random(using: &random) }.map { emoji -> Shelf.Item.Named in
                    (emoji, Int.random(in: 2...5, using: &random))
                }
            }
            try await Shelf(base).put(item, on: id)
            known.append(
                Known(image: Image(id: id, filename: new.filename, url: new.url, group: new.group), item: item))
        }
        return known
    }

    private func query(_ random: inout SplitMix64) -> ImageQuery {
        func maybe<Value>(_ values: [Value]) -> Value? {
            Int.random(in: 0..<4, using: &random) == 0 ? values.randomElement(using: &random) : nil
        }
        func rarely() -> Bool { Int.random(in: 0..<8, using: &random) == 0 }
        return ImageQuery(
            group: maybe(["sea", "town", "none"]), label: maybe(["cat", "dog", "giraffe", "lion", "unicorn"]),
            includesUnfused: Bool.random(using: &random), emoji: maybe(["🐱", "🐶", "🦄"]),
            minVotes: maybe([0, 2, 3, 5, 9]), minConfidence: maybe([0, 0.25, 0.5, 0.85, 1]), disagrees: rarely(),
            failedService: maybe(["blip", "yolov8", "ghost"]), hasFailure: rarely(), state: maybe(ImageState.allCases),
            isIncomplete: rarely(), lacksConsensus: rarely(), text: maybe(["img_1", "trip", ".JPG", "zzz"]),
            expected: Shelf.expected)
    }

    @Test(
        "finds what a look at every image would find, by any filters together, whatever the page and the bound",
        arguments: storeBackends, [1, 2] as [UInt64])
    func filters(_ backend: StoreBackend, seed: UInt64) async throws {
        try await backend.run { base in
            var random = SplitMix64(seed: seed)
            let (shelf, known) = (Shelf(base), try await fill(base, &random))
            try await shelf.index()
            for _ in 0..<120 {
                let query = query(&random)
                let expected = known.filter { $0.matches(query) }.map(\.image.id)
                let order = ImageOrder.allCases.randomElement(using: &random) ?? .newestFirst
                let list = order == .newestFirst ? expected.reversed() : expected
                let (limit, bound) = (Int.random(in: 1...9, using: &random), Int.random(in: 1...60, using: &random))
                let found = try await shelf.all(query, order, limit: limit, scanning: bound)
                #expect(found == list, "\(query), \(order), by \(limit), bound \(bound)")
                guard let place = list.indices.randomElement(using: &random) else { continue }
                let beside = try await base.store.neighbours(of: list[place], query, order)
                #expect(beside.next == (place + 1 < list.count ? list[place + 1] : nil), "\(query)")
                #expect(beside.previous == (place > 0 ? list[place - 1] : nil), "\(query)")
            }
        }
    }

    // MARK: The index

    @Test("follows what is written, forgotten, removed, and what other programs do", arguments: storeBackends)
    func follows(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (shelf, images) = (Shelf(base), try await base.images(3))
            #expect(try await base.store.indexLag().images >= 3)
            #expect(try await shelf.all(ImageQuery(state: .pending)) == [], "nothing is indexed yet")
            try await shelf.index()
            #expect(try await base.store.indexLag() == IndexLag())
            #expect(try await shelf.all(ImageQuery(state: .pending)) == images.reversed())

            for image in images {
                try await shelf.put(
                    Shelf.Item(answered: ["yolov8"], boxes: [("cat", 0.9, ["yolov8"])], emoji: [("🐱", 2)]), on: image)
            }
            #expect(try await base.store.indexLag().rows > 0)
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(label: "cat", emoji: "🐱")) == images.reversed())

            try await base.store.record([.of(images[0], "blip", status: .error)])
            _ = try await base.store.forget([images[1]])
            _ = try await base.store.remove([images[2]])
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(hasFailure: true)) == [images[0]])
            #expect(try await shelf.all(ImageQuery(label: "cat")) == [images[0]])
            #expect(try await shelf.all(ImageQuery(state: .pending)) == [images[1]])
            #expect(try await base.select("SELECT CAST(count(*) AS TEXT) FROM farm_indexed_images") == ["2"])

            try await base.execute("DELETE FROM merged_boxes; DELETE FROM consensus")
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(label: "cat")) == [])
            #expect(try await shelf.all(ImageQuery(lacksConsensus: true)) == [images[1], images[0]])
            #expect(try await base.select("SELECT CAST(count(*) AS TEXT) FROM farm_tagged_images") == ["0"])
        }
    }

    @Test("follows what is forgotten and removed in its next step, wherever the images lie", arguments: storeBackends)
    func losses(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (shelf, images) = (Shelf(base), try await base.images(900))
            // Of each part that a step looks through, one.
            let lost = [images[10], images[450], images[850]]
            for image in lost { try await shelf.put(Shelf.Item(answered: ["blip"], emoji: [("🐱", 2)]), on: image) }
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(emoji: "🐱")) == lost.reversed())
            _ = try await base.store.forget(Array(lost.prefix(2)))
            _ = try await base.store.remove([lost[2]])
            let indexer = ImageIndexer(store: base.store, rules: Shelf.rules, time: SystemTime(), log: quiet)
            _ = try await indexer.step()
            #expect(try await shelf.all(ImageQuery(emoji: "🐱")) == [])
            #expect(try await base.select("SELECT CAST(count(*) AS TEXT) FROM farm_index_losses") == ["0"])
        }
    }

    @Test("knows of a service that is forgotten although a newer answer stays", arguments: storeBackends)
    func forgottenService(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (shelf, images) = (Shelf(base), try await base.images(1))
            for service in Shelf.expected.reversed() {
                try await shelf.put(Shelf.Item(answered: [service]), on: images[0])
            }
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(isIncomplete: true, expected: Shelf.expected)) == [])
            _ = try await base.store.forget(images, services: ["yolov8"])
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(isIncomplete: true, expected: Shelf.expected)) == images)
        }
    }

    @Test("knows of a service that is forgotten between reading and writing", arguments: storeBackends)
    func forgottenMeanwhile(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (shelf, images) = (Shelf(base), try await base.images(1))
            try await shelf.put(Shelf.Item(answered: ["yolov8"]), on: images[0])
            try await shelf.index()
            for service in ["rtdetr", "blip"] { try await shelf.put(Shelf.Item(answered: [service]), on: images[0]) }
            let work = try await base.store.indexWork(limit: 400)
            let material = try await base.store.material(of: images, detectors: Shelf.detectors)
            _ = try await base.store.forget(images, services: ["yolov8"])
            let facts = material.map { material in
                ImageFacts(
                    imageID: material.imageID, detections: material.detections, boxes: material.boxes,
                    consensus: material.consensus,
                    standing: ImageStanding(answered: material.answered, failed: material.failed),
                    options: Shelf.rules.merging)
            }
            try await base.store.index(facts, for: work)
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(isIncomplete: true, expected: Shelf.expected)) == images)
        }
    }

    @Test("takes up images that were there before it", arguments: storeBackends)
    func takesUp(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            try await base.execute(
                """
                INSERT INTO images (image_filename) VALUES ('a.jpg'), ('b.jpg');
                INSERT INTO results (image_id, service, data, status)
                    SELECT image_id, 'blip', '{"error": {"kind": "timeout"}}', 'error' FROM images;
                INSERT INTO merged_boxes (image_id, merged_data, status) VALUES
                    (1, '{"label": "cat", "merged_bbox": {"x": 1, "y": 1, "width": 2, "height": 2}}', 'success'),
                    (1, '[]', 'success'), (2, '{"label": 7}', 'success'), (2, 'null', 'success');
                INSERT INTO consensus (image_id, consensus_data) VALUES (1, '{"votes": 3}'), (2, '[]')
                """)
            let shelf = Shelf(base)
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(label: "cat")) == [1])
            #expect(try await shelf.all(ImageQuery(failedService: "blip")) == [2, 1])
            #expect(try await shelf.all(ImageQuery(lacksConsensus: true)) == [])
            #expect(try await base.store.page(ImageQuery(), limit: 2).tiles.map(\.labels.count) == [0, 1])
        }
    }

    @Test("is made once by two who make it at the same time", arguments: storeBackends)
    func together(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let shelf = Shelf(base)
            let images = try await base.images(60)
            for (number, image) in images.enumerated() {
                try await shelf.put(
                    Shelf.Item(
                        answered: ["yolov8"], boxes: [("label\(number % 7)", 0.5, ["yolov8"])], emoji: [("🐱", 2)]),
                    on: image)
            }
            let other = try await base.connect()
            async let first: Void = shelf.index()
            async let second: Void = shelf.index(other)
            _ = try await (first, second)
            #expect(try await shelf.all(ImageQuery(emoji: "🐱")).count == 60)
            #expect(try await shelf.all(ImageQuery(label: "label3")).count == 9)
            #expect(try await base.select("SELECT CAST(count(*) AS TEXT) FROM farm_tagged_images") == ["120"])
        }
    }
}
