import Foundation
import Harmony
import Model
import Testing

/// Reading into consensus_data.
extension JSON {
    var consensus: [JSON] { self["votes"]?["consensus"]?.arrayValue ?? [] }
    func entry(_ emoji: String) -> JSON? { consensus.first { $0["emoji"]?.stringValue == emoji } }
    var emojiOrder: [String] { consensus.compactMap { $0["emoji"]?.stringValue } }
}

@Suite("Voting, by hand")
struct VotingTests {
    private let everything = VotingOptions(minVotes: 1)

    @Test("consensus_data, to the byte")
    func shape() throws {
        let data = try #require(
            vote(
                ballot(
                    [
                        row(2, "yolov8", [emoji("🐶")], seconds: 0.1), row(1, "clip", [emoji("🐶")], seconds: 0.2),
                        row(3, "colors", [.object(["type": "color_analysis", "emoji": "🐶"])]),
                        row(
                            5, "blip",
                            [
                                .object([
                                    "text": "a dog",
                                    "emoji_mappings": [.object(["word": "dog", "emoji": "🐶", "shiny": true])],
                                ])
                            ]),
                    ], failures: [row(9, "ocr", [], status: .error)],
                    boxes: [stored(4, mergedBox("dog", 1, emoji: "🐶", seenBy: ["detectron2", "yolov8"]))]),
                options: VotingOptions()))
        #expect(
            data.text == #"""
                {"services_count":4,"services_list":["blip","clip","colors","yolov8"],"services_failed":["ocr"],\#
                "total_processing_time":0.8,"latest_result_time":"1970-01-01T00:09:00.000Z",\#
                "consensus_algorithm":"v3_voting","votes":{"consensus":[\#
                {"emoji":"🐶","votes":3,"evidence_weight":5,"final_score":8,"instances":{"count":1,"type":"spatial"},\#
                "evidence":{"spatial":{"detection_count":2,"avg_confidence":0.8,"instance_count":1},\#
                "semantic":{"service_count":1,"words":["dog"],"sources":["blip"]},\#
                "classification":{"service_count":1,"sources":["clip"]},"specialized":null},\#
                "services":["blip","clip","yolov8"],\#
                "bounding_boxes":[{"cluster_id":"dog_1","merged_bbox":{"x":0.0,"y":0.0,"width":10.0,"height":20.0},\#
                "emoji":"🐶","label":"dog","detection_count":2,"avg_confidence":0.8,"detections":[\#
                {"service":"detectron2","confidence":0.8,"bbox":{"x":0.0,"y":0.0,"width":10.0,"height":20.0}},\#
                {"service":"yolov8","confidence":0.8,"bbox":{"x":0.0,"y":0.0,"width":10.0,"height":20.0}}]}],\#
                "shiny":true}]},\#
                "special":{"text":{"detected":false},"face":{"detected":false},"nsfw":{"detected":false}},\#
                "debug":{"detection_count":3,"emoji_groups":1}}
                """#)
    }

    @Test("an image without any result has no consensus; one with failures only has an empty one")
    func nothing() throws {
        #expect(vote(ballot([]), options: VotingOptions()) == nil)
        let failed = try #require(
            vote(ballot([], failures: [row(3, "clip", [emoji("🐶")], status: .error)]), options: everything))
        #expect(failed["services_count"] == 0)
        #expect(failed["services_failed"] == ["clip"])
        #expect(failed.consensus.isEmpty)
        #expect(failed["latest_result_time"] == "1970-01-01T00:03:00.000Z")
        #expect(failed["total_processing_time"] == 0.0)
    }

    @Test("a service whose newest result failed still votes by its newest success, and stands in both lists")
    func failedLater() throws {
        let data = try #require(
            vote(
                ballot([row(1, "clip", [emoji("🐶")])], failures: [row(2, "clip", [], status: .error)]),
                options: everything))
        #expect(data["services_list"] == ["clip"])
        #expect(data["services_failed"] == ["clip"])
        #expect(data.emojiOrder == ["🐶"])
    }

    @Test("of a service's rows the one with the largest result_id counts")
    func newest() throws {
        let data = try #require(
            vote(
                ballot([row(8, "clip", [emoji("🐶")]), row(9, "clip", [emoji("🐱")]), row(7, "clip", [emoji("🐟")])]),
                options: everything))
        #expect(data.emojiOrder == ["🐱"])
        #expect(data["services_count"] == 1)
    }

    @Test(
        "what a prediction names",
        arguments: [
            (.object(["emoji": "🐶"]), ["🐶"]),
            (.object(["emoji": " 👩🏽 "]), ["🧑"]),
            (.object(["emoji": "dog"]), []), (.object(["emoji": "🐶🐱"]), []), (.object(["emoji": "1️⃣"]), []),
            (.object(["emoji": .null]), []), (.object(["emoji": 128_054]), []), (.object(["emoji": ["🐶"]]), []),
            (.object(["emoji": "🐶", "type": "color_analysis"]), []),
            (.object(["emoji": "🐶", "type": "other"]), ["🐶"]),
            (.object(["emoji": "🐶", "word_mappings": .object(["cat": "🐱"])]), ["🐱"]),
            (
                .object([
                    "word_mappings": .object(["cat": "🐱"]), "emoji_mappings": [.object(["emoji": "🐟", "word": "f"])],
                ]),
                ["🐟"]
            ),
            (.object(["emoji": "🐶", "emoji_mappings": [], "word_mappings": .object([])]), ["🐶"]),
            (.object(["emoji": "🐶", "emoji_mappings": .null, "word_mappings": .null]), ["🐶"]),
            (.object(["emoji": "🐶", "emoji_mappings": "🐱", "word_mappings": ["🐱"]]), ["🐶"]),
            (.object(["emoji": "🐶", "emoji_mappings": [.null, 7, "🐱"]]), []),
            (.object(["emoji": "🐶", "word_mappings": .object(["cat": .null, "x": 3])]), []),
            (
                .object(["emoji_mappings": [.object(["emoji": "🐶"]), .object(["emoji": "🐱", "word": .null])]]),
                ["🐱", "🐶"]
            ),
            (.object([.init("word_mappings", .object([.init("a", "🐱"), .init("a", "🐶")]))]), ["🐶"]),
            (.null, []), ("🐶", []), (["🐶"], []), (7, []), (.object([]), []),
        ] as [(JSON, [String])])
    func naming(prediction: JSON, emoji: [String]) throws {
        let data = try #require(vote(ballot([row(1, "clip", [prediction])]), options: everything))
        #expect(data.emojiOrder.sorted() == emoji.sorted())
    }

    @Test("an emoji that a service names often is one vote of it")
    func distinct() throws {
        let data = try #require(
            vote(
                ballot([
                    row(1, "clip", [emoji("👨"), emoji("🧑"), emoji("👩🏿"), emoji("🐶")]), row(2, "ocr", [emoji("🐶")]),
                    row(3, "metadata", []),
                ]), options: everything))
        #expect(data.entry("🧑")?["votes"] == 1)
        #expect(data.entry("🐶")?["services"] == ["clip", "ocr"])
        #expect(data["debug"] == .object(["detection_count": 3, "emoji_groups": 2]))
    }

    @Test("an emoji with fewer than min_votes votes does not stay, but is counted")
    func minVotes() throws {
        let rows = [row(1, "clip", [emoji("🐶"), emoji("🐱")]), row(2, "blip", [emoji("🐶")])]
        #expect(vote(ballot(rows), options: VotingOptions())?.emojiOrder == ["🐶"])
        #expect(vote(ballot(rows), options: VotingOptions(minVotes: 3))?.emojiOrder == [])
        let debug = try #require(vote(ballot(rows), options: VotingOptions())?["debug"])
        #expect(debug == .object(["detection_count": 3, "emoji_groups": 2]))
    }

    @Test("evidence: boxes add what more than one detector saw, two or more describers add all but one")
    func weights() throws {
        let boxes = [
            stored(1, mergedBox("dog", 1, emoji: "🐶", seenBy: ["a", "b", "c"], confidence: 0.9)),
            stored(2, mergedBox("dog", 2, emoji: "🐶", seenBy: ["a"], confidence: 0.4)),
            stored(3, mergedBox("dog", 3, emoji: "🐶️", seenBy: ["a"], confidence: 0.4)),
            stored(4, mergedBox("cat", 1, emoji: nil, seenBy: ["a", "b"])),
        ]
        let services = ["clip", "inception_v3", "blip", "ocr", "other"]
        let data = try #require(
            vote(
                ballot(services.enumerated().map { row($0 + 1, $1, [emoji("🐶")]) }, boxes: boxes), options: everything))
        let entry = try #require(data.entry("🐶"))
        #expect(entry["evidence_weight"] == 9)  // 5 votes + 2 + 2
        #expect(entry["final_score"] == 14)
        #expect(entry["instances"] == .object(["count": 3, "type": "spatial"]))
        #expect(
            entry["evidence"]?["spatial"]
                == .object(["detection_count": 3, "avg_confidence": 0.567, "instance_count": 3]))
        #expect(entry["evidence"]?["semantic"] == .object(["service_count": 1, "words": [], "sources": ["blip"]]))
        #expect(
            entry["evidence"]?["classification"] == .object(["service_count": 2, "sources": ["clip", "inception_v3"]]))
        #expect(entry["evidence"]?["specialized"] == ["ocr"])
    }

    @Test("without evidence all four are null, and the emoji is one that lies nowhere")
    func noEvidence() throws {
        let data = try #require(vote(ballot([row(1, "other", [emoji("🐶")])]), options: everything))
        let entry = try #require(data.entry("🐶"))
        #expect(
            entry["evidence"]?.text == #"{"spatial":null,"semantic":null,"classification":null,"specialized":null}"#)
        #expect(entry["instances"]?.text == #"{"count":1,"type":"non_spatial"}"#)
        #expect(entry["bounding_boxes"] == nil)
        #expect(entry["validation"] == nil)
        #expect(entry["shiny"] == nil)
        #expect(entry["evidence_weight"] == 1)
    }

    @Test("a service's class is the configured one, else the catalogue's")
    func classes() throws {
        let data = try #require(
            vote(
                ballot(
                    [row(1, "clip", [emoji("🐶")]), row(2, "mine", [emoji("🐶")])],
                    evidence: ["clip": .semantic, "mine": .specialized]),
                options: everything))
        let evidence = try #require(data.entry("🐶")?["evidence"])
        #expect(evidence["semantic"]?["sources"] == ["clip"])
        #expect(evidence["classification"] == .null)
        #expect(evidence["specialized"] == ["mine"])
    }

    @Test("words are those that semantic services mapped to the emoji, sorted, each once")
    func words() throws {
        let data = try #require(
            vote(
                ballot([
                    row(
                        1, "blip",
                        [
                            .object(["word_mappings": .object(["puppy": "🐶", "Dog": "🐶", "": "🐶", "cat": "🐱"])])
                        ]),
                    row(
                        2, "ollama",
                        [
                            .object([
                                "emoji_mappings": [.object(["word": "puppy", "emoji": "🐶"]), .object(["emoji": "🐶"])]
                            ])
                        ]),
                    row(3, "ocr", [.object(["word_mappings": .object(["hound": "🐶"])])]),
                ]), options: everything))
        #expect(data.entry("🐶")?["evidence"]?["semantic"]?["words"] == ["Dog", "puppy"])
        #expect(data.entry("🐱")?["evidence"]?["semantic"]?["words"] == ["cat"])
        let alike: JSON = .array(["\u{E9}", "e\u{301}"].map { .object(["word": .string($0), "emoji": "🐶"]) })
        let both = vote(ballot([row(1, "blip", [.object(["emoji_mappings": alike])])]), options: everything)
        #expect(both?.entry("🐶")?["evidence"]?["semantic"]?["words"]?.arrayValue?.count == 2)
    }

    @Test("shiny is only an emoji whose mapping says true")
    func shiny() throws {
        let mappings: JSON = [
            .object(["emoji": "🐶", "shiny": true]), .object(["emoji": "🐱", "shiny": false]),
            .object(["emoji": "🐟", "shiny": "true"]),
        ]
        let data = try #require(
            vote(ballot([row(1, "blip", [.object(["emoji_mappings": mappings])])]), options: everything))
        #expect(data.consensus.compactMap { $0["shiny"] == nil ? nil : $0["emoji"]?.stringValue } == ["🐶"])
    }

    @Test("order: votes, then weight, then Unicode scalars")
    func order() throws {
        let rows = [
            row(1, "a", [emoji("🐱"), emoji("🐶"), emoji("🍎"), emoji("☕")]), row(2, "b", [emoji("🐱"), emoji("🐶")]),
        ]
        let boxes = [stored(1, mergedBox("dog", 1, emoji: "🐶"))]
        let data = try #require(vote(ballot(rows, boxes: boxes), options: everything))
        #expect(data.emojiOrder == ["🐶", "🐱", "☕", "🍎"])
    }

    @Test("bounding boxes come by label, then by number")
    func boxOrder() throws {
        let boxes = [("puppy", 1), ("dog", 10), ("dog", 2)].enumerated().map {
            stored($0 + 1, mergedBox($1.0, $1.1, emoji: "🐶"))
        }
        let data = try #require(vote(ballot([row(1, "a", [emoji("🐶")])], boxes: boxes), options: everything))
        let names = data.entry("🐶")?["bounding_boxes"]?.arrayValue?.compactMap { $0["cluster_id"]?.stringValue }
        #expect(names == ["dog_2", "dog_10", "puppy_1"])
    }

    @Test("total_processing_time is that of the rows that vote, however they were added up")
    func processingTime() throws {
        let rows = [0.1, 0.2, 0.3, .nan, .infinity].enumerated().map { row($0 + 1, "s\($0)", [], seconds: $1) }
        let failure = row(9, "t", [], status: .error, seconds: 30)
        let data = try #require(vote(ballot(rows, failures: [failure]), options: everything))
        #expect(data["total_processing_time"] == 0.6)
    }

    @Test("boxes of other programs that cannot be read, or lack nearly all, stop nothing")
    func foreignBoxes() throws {
        let boxes = [
            StoredBox(mergedID: 1, data: .null),
            StoredBox(
                mergedID: 2,
                data: .object(["label": "dog", "emoji": "🐶", "merged_bbox": Box(x: 0, y: 0, width: 1, height: 1).json])),
        ]
        let data = try #require(vote(ballot([row(1, "a", [emoji("🐶")])], boxes: boxes), options: everything))
        let entry = try #require(data.entry("🐶"))
        #expect(entry["evidence"]?["spatial"]?["instance_count"] == 1)
        #expect(entry["evidence_weight"] == 1)
    }
}
