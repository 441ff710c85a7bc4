import Foundation
import Harmony
import Model
import Pipeline
import Testing

@testable import Operations

@Suite("How well services agree")
struct QualityTests {
    private let rules = ReadingRules(detectors: ["a", "b", "c"], expected: [], merging: MergingOptions())

    private func row(
        _ id: Int, _ service: String, _ labels: [(String, Double, Double)], status: ResultStatus = .success,
        seconds: Double = 1
    ) -> StoredResult {
        let predictions = labels.map { label, x, confidence in
            JSON.object([
                "label": .string(label), "confidence": .double(confidence),
                "bbox": Box(x: x, y: 0, width: 10, height: 10).json,
            ])
        }
        return StoredResult(
            resultID: id, imageID: 1, service: service, data: .object(["predictions": .array(predictions)]),
            status: status, processingTime: seconds, created: Date(timeIntervalSince1970: 0))
    }

    @Test("pairs of detectors, what each misses, and what only one saw")
    func pairs() throws {
        var sample = QualitySample(rules)
        sample.add(
            [
                row(1, "a", [("cat", 0, 0.9), ("dog", 100, 0.9), ("fly", 300, 0.1)]),
                row(2, "b", [("cat", 1, 0.8), ("dog", 200, 0.5)]),
            ], boxes: [], emoji: [])
        sample.add([row(3, "a", [("cat", 0, 0.9)])], boxes: [], emoji: [])
        let report = sample.report
        #expect(report.images == 2)
        #expect(report.comparedImages == 1)
        let dog = try #require(report.pairs.first { $0.label == "dog" })
        #expect((dog.first, dog.second, dog.both, dog.onlyFirst, dog.onlySecond) == ("a", "b", 0, 1, 1))
        #expect(dog.agreement == 0)
        let cat = try #require(report.pairs.first { $0.label == "cat" })
        #expect(cat.agreement == 1)
        #expect(report.pairs.map(\.label) == ["dog", "cat"], "nobody is sure of the fly")
        let missing = try #require(report.sights.first { $0.detector == "b" && $0.label == "dog" })
        #expect((missing.seen, missing.alone, missing.missed) == (1, 1, 1), "0.9 stays alone, 0.5 does not")
        let other = try #require(report.sights.first { $0.detector == "a" && $0.label == "dog" })
        #expect((other.seen, other.alone, other.missed) == (1, 1, 0), "what is not kept nobody has missed")
    }

    @Test("services: seconds, failures, changed outcomes, confidences")
    func services() throws {
        var sample = QualitySample(rules)
        sample.add(
            [row(2, "clip", [("cat", 0, 1)], seconds: 2), row(1, "clip", [("cat", 0, 0)])], boxes: [], emoji: [])
        sample.add(
            [row(4, "clip", [("dog", 0, 0.5)], seconds: 4), row(3, "clip", [("cat", 0, 0.5)])], boxes: [], emoji: [])
        sample.add([row(6, "clip", [], status: .error), row(5, "clip", [])], boxes: [], emoji: [])
        let clip = try #require(sample.report.services.first)
        #expect((clip.successes, clip.failures, clip.repeated, clip.changed) == (2, 1, 3, 2))
        #expect(clip.p50 == 3)
        #expect(clip.confidences.count == QualityReport.bins)
        #expect((clip.confidences[19], clip.confidences[10]) == (1, 1))
        #expect(sample.report.json["services"]?.arrayValue?.first?["changed"] == 2)
    }

    @Test("votes against boxes")
    func evidence() {
        func box(_ emoji: String) -> StoredBox {
            StoredBox(
                mergedID: 1,
                data: .object([
                    "label": "x", "emoji": .string(emoji), "merged_bbox": Box(x: 0, y: 0, width: 1, height: 1).json,
                ]))
        }
        var sample = QualitySample(rules)
        sample.add([], boxes: [box("🐱"), box("🐱")], emoji: ["🐱", "🐶"])
        sample.add([], boxes: [box("🐱"), box("🦊")], emoji: [])
        #expect(
            sample.report.evidence.map { [$0.emoji, "\($0.both)", "\($0.votesOnly)", "\($0.boxesOnly)"] } == [
                ["🐱", "1", "0", "1"], ["🐶", "0", "1", "0"], ["🦊", "0", "0", "1"],
            ])
    }
}
