import Doubles
import Model
import Testing

@testable import Harmony

@Suite("What is read from one answer")
struct InspectionTests {
    private func inspect(_ predictions: [JSON], _ evidence: Evidence = .spatial) -> Inspection {
        Inspection(
            of: .object(["predictions": .array(predictions)]), service: "a", evidence: evidence,
            options: MergingOptions())
    }

    @Test("a detector's boxes as they are merged, its votes, and why the rest does not count")
    func detector() {
        let inspection = inspect([
            prediction(" TVMonitor ", 1, 2, 3, 4, confidence: 0.5, emoji: "📺\u{FE0F}"),
            .object(["label": "dog", "emoji": "dog"]), prediction("cat", 1, 2, 0, 4, emoji: 7),
            prediction("", 1, 2, 3, 4), prediction("owl", 1e8, 2, 3, 4), prediction("elk", 1, 2, 3, 4, confidence: 7),
            prediction("emu", 1, 2, 3, 4, confidence: nil), emoji("🐶"), "dog", .null,
        ])
        #expect(
            inspection.boxes == [
                .init(
                    prediction: 0, label: "tv", emoji: "📺", confidence: 0.5, bbox: Box(x: 1, y: 2, width: 3, height: 4)),
                .init(
                    prediction: 6, label: "emu", emoji: nil, confidence: 0.75,
                    bbox: Box(x: 1, y: 2, width: 3, height: 4)),
            ])
        #expect(inspection.votes == [.init(emoji: "🐶", words: []), .init(emoji: "📺", words: [])])
        #expect(
            inspection.dropped.map { "\($0.prediction) \($0.reason)" } == [
                "1 “dog” is no emoji", "1 no bbox of four numbers x, y, width, height", "2 an emoji that is no text",
                "2 a box without area", "3 an empty label", "4 a box out of range", "5 a confidence outside of 0…1",
                "7 no label", "8 no object", "9 no object",
            ])
        #expect(inspection.bboxes == 6)
    }

    @Test("a describer's votes have the words that were mapped to them, and its boxes are none to merge")
    func describer() {
        let mappings: JSON = .array([
            .object(["word": "puppy", "emoji": "🐶"]), .object(["word": "dog", "emoji": "🐶"]),
            .object(["word": "sky", "emoji": "blue"]),
        ])
        let predictions: [JSON] = [
            .object(["text": "a dog", "emoji_mappings": mappings, "bbox": .object(["x": 1])]),
            .object(["type": "color_analysis", "emoji": "no emoji"]),
        ]
        let inspection = inspect(predictions, .semantic)
        #expect(inspection.votes == [.init(emoji: "🐶", words: ["dog", "puppy"])])
        #expect(inspection.boxes.isEmpty)
        #expect(inspection.bboxes == 1)
        #expect(inspection.dropped == [.init(prediction: 0, reason: "“blue” is no emoji")])
    }

    @Test("it is what merging and voting read", arguments: 0..<300 as Range<UInt64>)
    func agreement(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let values: [JSON] = [
            "dog", "", " ", "🐶", "👩🏽", "sofa", 0, 1, 0.5, -1, 1e9, 0.001, .null, true, [], .object(["x": 1]),
            .object(["x": 1, "y": 2, "width": 3, "height": 4]), .object(["x": 1, "y": 2, "width": 0.001, "height": 4]),
            .object(["x": 1, "y": -2e7, "width": 3, "height": 4]), .array([.object(["word": "a", "emoji": "☕"])]),
            .object(["a": "☕", "b": "no"]), "color_analysis",
        ]
        let keys = ["label", "emoji", "confidence", "bbox", "emoji_mappings", "word_mappings", "type"]
        let predictions = (0..<20).map { _ -> JSON in
            let chosen = keys.filter { _ in Bool.random(using: &random) }
            let members = chosen.compactMap { key in
                values.randomElement(using: &random).map { JSON.Member(key, $0) }
            }
            return Bool.random(using: &random) || !members.isEmpty ? .object(members) : "no object"
        }
        let inspection = inspect(predictions)
        let fusion = fuse([answer("a", 1, predictions)], options: MergingOptions())
        #expect(predictions.count - inspection.boxes.count == fusion.dropped)
        let votes = vote(ballot([row(1, "a", predictions)]), options: VotingOptions(minVotes: 1))
        let named = (votes?["votes"]?["consensus"]?.arrayValue ?? []).compactMap { $0["emoji"]?.stringValue }
        #expect(Set(inspection.votes.map(\.emoji)) == Set(named))
    }
}
