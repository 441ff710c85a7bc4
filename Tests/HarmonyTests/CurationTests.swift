import Harmony
import Model
import Testing

@Suite("Curating 🧑 and 🔞")
struct CurationTests {
    private let person = stored(1, mergedBox("person", 1, emoji: "🧑", seenBy: ["yolov8"]))
    private let dog = stored(2, mergedBox("dog", 1, emoji: "🐶", seenBy: ["yolov8"]))

    private func entry(
        _ wanted: String, _ votes: [String: [String]], boxes: [StoredBox] = [], enrichments: [StoredEnrichment] = [],
        minVotes: Int = 1
    ) -> JSON? {
        let rows = votes.keys.sorted().enumerated().map { row($0 + 1, $1, (votes[$1] ?? []).map(emoji)) }
        return vote(ballot(rows, boxes: boxes, enrichments: enrichments), options: VotingOptions(minVotes: minVotes))?
            .entry(wanted)
    }

    @Test("🙂 that stays confirms 🧑; one that does not stay does not")
    func faceStays() {
        let confirmed = entry("🧑", ["a": ["🧑", "🙂"]])
        #expect(confirmed?["validation"] == ["face_confirmed"])
        #expect(confirmed?["evidence_weight"] == 2)
        #expect(confirmed?["final_score"] == 3)
        let alone = entry("🧑", ["a": ["🧑", "🙂"], "b": ["🧑"]], minVotes: 2)
        #expect(alone?["validation"] == nil)
        #expect(alone?["evidence_weight"] == 2)
    }

    @Test("a face in a box of a person confirms 🧑; in another box, in an empty or failed row it does not")
    func faceInBox() {
        func validation(_ enrichments: StoredEnrichment...) -> JSON? {
            entry("🧑", ["a": ["🧑"]], boxes: [person, dog], enrichments: enrichments)?["validation"]
        }
        #expect(validation(enrichment("face", of: 1, [emoji("🙂")])) == ["face_confirmed"])
        #expect(validation(enrichment("face", of: 2, [emoji("🙂")])) == nil)
        #expect(validation(enrichment("face", of: 3, [emoji("🙂")])) == nil)
        #expect(validation(enrichment("face", of: 1, [])) == nil)
        #expect(validation(enrichment("face", of: 1, [emoji("🙂")], status: .error)) == nil)
        #expect(validation(enrichment("face", of: 1, [emoji("🙂")], status: .empty)) == nil)
        #expect(validation(enrichment("colors", of: 1, [emoji("🙂")])) == nil)
    }

    @Test("a pose in such a box, or a vote of the pose service, confirms 🧑; both things are named")
    func pose() {
        let pose = enrichment("pose", of: 1, [.object(["landmarks": []])])
        #expect(entry("🧑", ["a": ["🧑"]], boxes: [person], enrichments: [pose])?["validation"] == ["pose_confirmed"])
        #expect(entry("🧑", ["a": ["🧑"], "pose": ["🏃"]])?["validation"] == ["pose_confirmed"])
        #expect(entry("🧑", ["a": ["🧑"], "pose": []])?["validation"] == nil)
        let both = entry(
            "🧑", ["a": ["🧑"]], boxes: [person], enrichments: [pose, enrichment("face", of: 1, [emoji("🙂")])])
        #expect(both?["validation"] == ["face_confirmed", "pose_confirmed"])
        #expect(both?["evidence_weight"] == 3)
        #expect(both?["final_score"] == 4)
    }

    @Test("🔞 gains where 🧑 stays and loses where none does")
    func unsafe() {
        let context = entry("🔞", ["nsfw2": ["🔞"], "a": ["🧑"]])
        #expect(context?["validation"] == ["human_context_confirmed"])
        #expect(context?["evidence_weight"] == 2)
        #expect(context?["final_score"] == 3)
        let doubted = entry("🔞", ["nsfw2": ["🔞"]])
        #expect(doubted?["validation"] == ["suspicious_no_humans"])
        #expect(doubted?["evidence_weight"] == 0)
        #expect(doubted?["final_score"] == 1)
    }

    @Test("curation comes after the order is fixed")
    func order() throws {
        let rows = [row(1, "a", [emoji("🧑"), emoji("🐶"), emoji("🙂")]), row(2, "b", [emoji("🧑"), emoji("🐶")])]
        let data = try #require(vote(ballot(rows), options: VotingOptions(minVotes: 1)))
        #expect(data.emojiOrder == ["🐶", "🧑", "🙂"])
        #expect(data.consensus.compactMap { $0["evidence_weight"]?.integerValue } == [2, 3, 1])
    }
}

@Suite("Special detections")
struct SpecialTests {
    private func special(
        _ kind: String, _ rows: [StoredResult], boxes: [StoredBox] = [], enrichments: [StoredEnrichment] = []
    ) -> String? {
        vote(ballot(rows, boxes: boxes, enrichments: enrichments), options: VotingOptions())?["special"]?[kind]?.text
    }

    @Test("text is ocr's first prediction that has text")
    func text() {
        let predictions: [JSON] = [
            .object(["text": "", "has_text": false, "emoji": "💬"]),
            .object(["text": "EXIT", "has_text": true, "emoji": "💬️", "confidence": 0.5]),
            .object(["text": "more", "has_text": true, "emoji": "💬", "confidence": 0.9]),
        ]
        let found = #"{"detected":true,"emoji":"💬","confidence":0.5,"content":"EXIT"}"#
        #expect(special("text", [row(1, "ocr", predictions)]) == found)
        #expect(special("text", [row(1, "blip", predictions)]) == #"{"detected":false}"#)
        let bare = row(1, "ocr", [.object(["has_text": true, "confidence": "high"])])
        #expect(special("text", [bare]) == #"{"detected":true,"emoji":"💬","confidence":null,"content":null}"#)
        #expect(special("text", [row(1, "ocr", [.object(["has_text": "true"])])]) == #"{"detected":false}"#)
    }

    @Test("a face is the surest 🙂 of the face service, or a face in any box, with its pose")
    func face() {
        let faces: [JSON] = [
            .object(["emoji": "🙂", "confidence": 0.6]),
            .object(["emoji": "🙂", "confidence": 0.7, "pose": .object(["yaw": 3])]),
            .object(["emoji": "🐶", "confidence": 1]),
        ]
        let surest = #"{"detected":true,"emoji":"🙂","confidence":0.7,"pose":{"yaw":3}}"#
        #expect(special("face", [row(1, "face", faces)]) == surest)
        #expect(special("face", [row(1, "face", faces.reversed())]) == surest)
        #expect(special("face", [row(1, "blip", faces)]) == #"{"detected":false}"#)
        let equals: [JSON] = [2, 1].map { .object(["emoji": "🙂", "pose": $0]) }
        for order in [equals, equals.reversed()] {
            let first = #"{"detected":true,"emoji":"🙂","confidence":null,"pose":1}"#
            #expect(special("face", [row(1, "face", order)]) == first)
        }
        let box = stored(1, mergedBox("dog", 1, emoji: "🐶"))
        let found = enrichment("face", of: 1, [.object(["confidence": 0.8, "pose": .null])])
        #expect(
            special("face", [row(1, "blip", [])], boxes: [box], enrichments: [found])
                == #"{"detected":true,"emoji":"🙂","confidence":0.8}"#)
        #expect(special("face", [row(1, "blip", [])], boxes: [], enrichments: [found]) == #"{"detected":false}"#)
    }

    @Test("what is not safe for work is what nsfw2 marks 🔞")
    func unsafe() {
        let marked: JSON = .object(["nsfw": true, "emoji": "🔞", "confidence": 1])
        #expect(special("nsfw", [row(1, "nsfw2", [marked])]) == #"{"detected":true,"emoji":"🔞","confidence":1.0}"#)
        #expect(special("nsfw", [row(1, "nsfw2", [.object(["nsfw": true])])]) == #"{"detected":false}"#)
        #expect(special("nsfw", [row(1, "clip", [marked])]) == #"{"detected":false}"#)
    }
}
