import Foundation
import Harmony
import Model
import Operations
import Pipeline
import Waiting

/// Images as a test puts them into a store, and what they must be found by.
struct Shelf: Sendable {
    static let detectors = ["rtdetr", "yolov8"]
    static let expected = ["blip", "rtdetr", "yolov8"]
    static let rules = ReadingRules(detectors: detectors, expected: expected, merging: MergingOptions())

    /// What is put there of one image.
    struct Item: Sendable {
        var answered: [String] = []
        var failed: [String] = []
        /// A fused box, and by which detectors it was seen.
        typealias Seen = (label: String, confidence: Double, by: [String])
        /// A named emoji.
        typealias Named = (emoji: String, votes: Int)

        var boxes: [Seen] = []
        /// A label that a detector named, and no fused box has.
        var unfused: String?
        var emoji: [Named]?
    }

    let base: StoreBase

    init(_ base: StoreBase) { self.base = base }

    /// Writes the rows, as roles would.
    func put(_ item: Item, on image: ImageID) async throws {
        let successes = item.answered.map { service -> AnalysisResult in
            let label = Shelf.detectors.first == service ? item.unfused : nil
            let prediction = label.map {
                #"{"label":\#(JSON.string($0).text),"confidence":0.3,"bbox":{"x":1,"y":1,"width":9,"height":9}}"#
            }
            return AnalysisResult.of(image, service, #"{"predictions":[\#(prediction ?? "")]}"#)
        }
        let failures = item.failed.map { service -> AnalysisResult in
            AnalysisResult.of(image, service, #"{"error":{"kind":"timeout","message":"too late"}}"#, status: .error)
        }
        try await base.store.record(successes + failures)
        if !item.boxes.isEmpty {
            let boxes = item.boxes.enumerated().map { number, box -> MergedBox in
                let place = Box(x: Double(number), y: 2, width: 30, height: 40)
                return MergedBox(
                    clusterID: "\(box.label)_\(number)", label: box.label, emoji: nil, bbox: place,
                    averageConfidence: box.confidence, score: box.confidence, contributingServices: box.by,
                    detections: box.by.map { Detection(service: $0, confidence: box.confidence, bbox: place) },
                    sourceResultIDs: [1])
            }
            _ = try await base.store.updateBoxes(of: [image], from: Shelf.expected, workerID: "m") { _, _ in
                BoxChanges(inserted: boxes)
            }
        }
        guard let emoji = item.emoji else { return }
        let entries = emoji.map { JSON.object(["emoji": .string($0.emoji), "votes": .int(Int64($0.votes))]) }
        let data = JSON.object(["votes": .object(["consensus": .array(entries)])])
        try await base.store.updateConsensus(of: [image]) { _ in ConsensusRecord(data: data, processingTime: 1) }
    }

    /// Indexes all that is there.
    func index(_ store: (any Store)? = nil) async throws {
        let indexer = ImageIndexer(
            store: store ?? base.store, rules: Shelf.rules, time: SystemTime(), log: quiet)
        try await indexer.catchUp()
    }

    /// All images that match, from page to page.
    func all(
        _ query: ImageQuery, _ order: ImageOrder = .newestFirst, limit: Int = 100, scanning bound: Int = 100_000
    ) async throws -> [ImageID] {
        var (found, cursor) = ([ImageID](), ImageCursor?.none)
        repeat {
            let page = try await base.store.page(query, order, at: cursor, limit: limit, scanning: bound)
            found += page.tiles.map(\.image.id)
            cursor = page.next
        } while cursor != nil
        return found
    }
}
