import Doubles
import Foundation
import Model
import Pipeline
import Testing

@Suite("Looking through images")
struct BrowsingBehaviours {
    @Test("pages go on and back, each image once, also where the one at their edge is gone", arguments: storeBackends)
    func pages(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(7)
            for order in ImageOrder.allCases {
                let list = order == .newestFirst ? images.reversed() : images
                let first = try await base.store.page(ImageQuery(), order, limit: 3)
                #expect(first.tiles.map(\.image.id) == Array(list[0..<3]))
                #expect(first.previous == nil)
                let second = try await base.store.page(ImageQuery(), order, at: first.next, limit: 3)
                #expect(second.tiles.map(\.image.id) == Array(list[3..<6]))
                let third = try await base.store.page(ImageQuery(), order, at: second.next, limit: 3)
                #expect(third.tiles.map(\.image.id) == [list[6]])
                #expect(third.next == nil)
                let back = try await base.store.page(ImageQuery(), order, at: third.previous, limit: 3)
                #expect(back.tiles == second.tiles)
                let start = try await base.store.page(ImageQuery(), order, at: back.previous, limit: 3)
                #expect(start.tiles == first.tiles)
                #expect(start.previous == nil)
                #expect(start.next == first.next)
            }
            let page = try await base.store.page(ImageQuery(), limit: 3)
            _ = try await base.store.remove([images[4], images[3]])
            let next = try await base.store.page(ImageQuery(), at: page.next, limit: 3)
            #expect(next.tiles.map(\.image.id) == [images[2], images[1], images[0]])
            _ = try await base.store.remove([images[0], images[1], images[2]])
            let empty = try await base.store.page(ImageQuery(), at: page.next, limit: 3)
            #expect(empty.tiles.isEmpty)
            #expect(empty.next == nil)
            let back = try await base.store.page(ImageQuery(), at: empty.previous, limit: 3)
            #expect(back.tiles.map(\.image.id) == [images[6], images[5]])
        }
    }

    @Test("a tile shows what the rows say, indexed or not", arguments: storeBackends)
    func tiles(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (shelf, images) = (Shelf(base), try await base.images(2))
            try await shelf.put(
                Shelf.Item(
                    answered: ["yolov8", "rtdetr"], failed: ["blip"],
                    boxes: [("cat", 0.8, Shelf.detectors), ("dog", 0.9, ["yolov8"]), ("cat", 0.7, ["yolov8"])],
                    emoji: [("🐶", 3), ("🐱", 2)]), on: images[0])
            let query = ImageQuery(expected: Shelf.expected)
            let tile = try #require(try await base.store.page(query, limit: 9).tiles.last)
            #expect(
                tile.labels == [
                    .init(label: "dog", boxes: 1, confidence: 0.9), .init(label: "cat", boxes: 2, confidence: 0.8),
                ])
            #expect(tile.emoji == [.init(emoji: "🐶", votes: 3), .init(emoji: "🐱", votes: 2)])
            #expect(tile.state == .completeWithErrors)
            #expect(tile.failed == ["blip"])
            #expect(tile.disagrees == nil)
            try await shelf.index()
            let tiles = try await base.store.page(query, limit: 9).tiles
            #expect(tiles.map(\.disagrees) == [false, true])
            #expect(tiles.map(\.state) == [.pending, .completeWithErrors])
            #expect(tiles[0].missing == Shelf.expected)
        }
    }

    @Test("a search that finds nothing ends at its bound, says where, and goes on from there", arguments: storeBackends)
    func bound(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(40)
            let query = ImageQuery(text: "nowhere")
            let page = try await base.store.page(query, .newestFirst, at: nil, limit: 5, scanning: 10)
            #expect(page.tiles.isEmpty)
            #expect(page.searchedTo == images[30])
            let last = try await base.store.page(query, .newestFirst, at: page.next, limit: 5, scanning: 1000)
            #expect(last == ImagePage(previous: last.previous))
            let found = try await base.store.page(
                ImageQuery(text: "/0.JPG"), .newestFirst, at: nil, limit: 5, scanning: 10)
            #expect(found.searchedTo == images[30])
            let all = try await Shelf(base).all(ImageQuery(text: "0.JPG"), limit: 5, scanning: 7)
            #expect(all == [images[30], images[20], images[10], images[0]])
            let beside = try await base.store.neighbours(of: images[35], query, .newestFirst, scanning: 3)
            #expect(beside == ImageNeighbours(isCutShort: true))
        }
    }

    @Test("names that no store can hold match nothing, and break nothing", arguments: storeBackends)
    func hostile(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (shelf, image) = (Shelf(base), try await base.image())
            let long = String(repeating: "💥", count: 100_000)
            try await shelf.put(
                Shelf.Item(
                    answered: ["rtdetr", "yolov8"], boxes: [(long, 0.5, ["yolov8"]), ("<b>'\";--", 2, ["yolov8"])],
                    unfused: "x\u{1}", emoji: [("🐱", .max), ("", -1)]), on: image)
            try await shelf.index()
            #expect(try await shelf.all(ImageQuery(label: long)) == [image])
            #expect(try await shelf.all(ImageQuery(label: "<b>'\";--", minConfidence: 1)) == [image])
            #expect(try await shelf.all(ImageQuery(label: "x\u{1}", includesUnfused: true)) == [image])
            #expect(try await shelf.all(ImageQuery(minVotes: .max)) == [])
            #expect(try await shelf.all(ImageQuery(minVotes: .min)) == [image])
            for text in ["\0", "%", "_", "\\", "'", long] {
                for query in [
                    ImageQuery(group: text), ImageQuery(emoji: text), ImageQuery(failedService: text),
                    ImageQuery(text: text), ImageQuery(state: .partial, expected: [text]),
                ] { #expect(try await shelf.all(query) == []) }
                _ = try await base.store.labels(beginning: text, limit: 5)
            }
            for number in [Double.nan, .infinity, -.infinity, 1e300] {
                _ = try await shelf.all(ImageQuery(minConfidence: number))
            }
            #expect(try await base.store.page(ImageQuery(), limit: -3).tiles.count == 1)
            for cursor in [ImageCursor(after: 0), ImageCursor(before: .max), ImageCursor(after: .max)] {
                for order in ImageOrder.allCases {
                    _ = try await base.store.page(ImageQuery(), order, at: cursor, limit: 3)
                }
            }
        }
    }

    // MARK: One image

    @Test("history has every row, the newest first, and each raw answer by its id", arguments: storeBackends)
    func history(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(2)
            try await base.store.record([
                .of(images[0], "blip", #"{"predictions":[{"text":"a cat"}]}"#, workerID: "w1"),
                .of(images[1], "blip"),
            ])
            try await base.store.record([
                .of(images[0], "blip", #"{"error":{"kind":"timeout","message":"too late"}}"#, status: .error)
            ])
            try await base.store.record([.of(images[0], "clip", seconds: 2)])
            let history = try await base.store.history(of: images[0], limit: 10)
            #expect(history.map(\.service) == ["clip", "blip", "blip"])
            #expect(history.map(\.status) == [.success, .error, .success])
            #expect(history.map(\.error) == [nil, "timeout: too late", nil])
            #expect(history[2].workerID == "w1")
            #expect(history[0].processingTime == 2)
            #expect(try await base.store.history(of: images[0], limit: 1).map(\.service) == ["clip"])
            let answer = try await base.store.result(history[2].resultID, of: images[0])
            #expect(answer?.data["predictions"]?.arrayValue?.first?["text"] == "a cat")
            #expect(try await base.store.result(history[2].resultID, of: images[1]) == nil)

            let recent = try await base.store.recentResults(of: images, perService: 1)
            #expect(recent[images[0]]?.map(\.service) == ["blip", "clip"])
            #expect(recent[images[0]]?.map(\.status) == [.error, .success])
            #expect(recent[images[1]]?.count == 1)
            #expect(try await base.store.recentlyAnswered(limit: 5) == images)
            #expect(try await base.store.recentlyAnswered(limit: 1) == [images[0]])
        }
    }

    @Test("groups and labels can be offered, sorted", arguments: storeBackends)
    func names(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.store.add(
                ["b", nil, "a", "b", "ä"].enumerated().map { NewImage(filename: "\($0).jpg", group: $1) }, move: false
            ).ids
            #expect(try await base.store.groups(limit: 9) == ["a", "b", "ä"])
            #expect(try await base.store.groups(limit: 1).count == 1)
            let shelf = Shelf(base)
            try await shelf.put(
                Shelf.Item(
                    answered: ["yolov8"],
                    boxes: [("cat", 0.5, ["yolov8"]), ("car", 0.5, ["yolov8"]), ("dog", 0.5, ["yolov8"])]),
                on: images[0])
            try await shelf.index()
            #expect(try await base.store.labels(beginning: "", limit: 9) == ["car", "cat", "dog"])
            #expect(try await base.store.labels(beginning: "ca", limit: 9) == ["car", "cat"])
            #expect(try await base.store.labels(beginning: "ca", limit: 1) == ["car"])
            #expect(try await base.store.labels(beginning: "x", limit: 9) == [])
        }
    }
}
