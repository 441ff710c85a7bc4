import Doubles
import Harmony
import Model
import Testing

/// A ballot of odd predictions: few emoji, so that many agree; mappings of wrong types; boxes and enrichments.
private func randomBallot(_ random: inout SplitMix64) -> Ballot {
    func pick<T>(_ choices: [T], or other: T) -> T { choices.randomElement(using: &random) ?? other }
    func anyEmoji() -> JSON { pick(["🐶", "👩🏽", "🧑", "🙂", "🔞", "❤️", "❤", "dog", "", .null, 5, "🐶🐶"], or: .null) }
    func anyPrediction() -> JSON {
        let mappings: [JSON] = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            .object([
                "word": pick(["dog", "\u{E9}", "e\u{301}", ""], or: ""), "emoji": anyEmoji(),
                "shiny": pick([true, false], or: false),
            ])
        }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return .object(["emoji_mappings": .array(mappings), "emoji": anyEmoji()])
        case 1: return .object(["word_mappings": .object(["man": anyEmoji(), "cat": anyEmoji()])])
        case 2: return .object(["type": "color_analysis", "emoji": anyEmoji()])
        case 3: return pick([.null, "x", []], or: .null)
        default: return .object(["emoji": anyEmoji(), "confidence": pick([0.3, 0.9, "x"], or: .null)])
        }
    }
    func predictions() -> [JSON] { (0..<Int.random(in: 0...4, using: &random)).map { _ in anyPrediction() } }
    let services = ["blip", "clip", "face", "nsfw2", "ollama", "pose", "yolov8", "é", "e\u{301}"]
    let rows = services.enumerated().map {
        row($0 + 1, $1, predictions(), seconds: Double.random(in: 0...1, using: &random))
    }
    let failures = services.prefix(3).enumerated().map { row($0 + 50, $1, [], status: .error) }
    let boxes = (1...5).map { number in
        stored(
            number,
            mergedBox(
                pick(["man", "dog"], or: ""), number, emoji: anyEmoji().stringValue, confidence: Double(number) / 7))
    }
    let enrichments = (1...5).map { enrichment(pick(["face", "pose"], or: ""), of: $0, predictions()) }
    return Ballot(
        results: rows.suffix(6) + failures, successes: rows, boxes: boxes, enrichments: enrichments, evidence: [:])
}

@Suite("Voting, of any input")
struct VotingPropertyTests {
    @Test("the order of rows and predictions changes no byte", arguments: 0..<200 as Range<UInt64>)
    func order(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let given = randomBallot(&random)
        let expected = vote(given, options: VotingOptions(minVotes: 1))?.bytes
        for _ in 0..<4 {
            var other = given
            other.results.shuffle(using: &random)
            other.boxes.shuffle(using: &random)
            other.enrichments.shuffle(using: &random)
            other.successes = given.successes.shuffled(using: &random).map { success in
                let predictions = (success.data["predictions"]?.arrayValue ?? []).shuffled(using: &random)
                return row(success.resultID, success.service, predictions, seconds: success.processingTime)
            }
            #expect(vote(other, options: VotingOptions(minVotes: 1))?.bytes == expected)
        }
    }

    @Test("the numbers of each emoji hang together", arguments: 0..<100 as Range<UInt64>)
    func arithmetic(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let data = try #require(vote(randomBallot(&random), options: VotingOptions(minVotes: 1)))
        for entry in data.consensus {
            let votes = try #require(entry["votes"]?.integerValue)
            let weight = try #require(entry["evidence_weight"]?.integerValue)
            let services = try #require(entry["services"]?.arrayValue)
            #expect(votes == services.count)
            #expect(entry["final_score"]?.integerValue == votes + weight)
            #expect(weight >= 0)
            #expect((entry["bounding_boxes"] == nil) == (entry["evidence"]?["spatial"] == .null))
        }
        let counted = data.consensus.compactMap { $0["votes"]?.integerValue }
        #expect(data["debug"]?["detection_count"]?.integerValue == counted.reduce(0, +))
        #expect(data["debug"]?["emoji_groups"]?.integerValue == data.consensus.count)
        #expect(counted == counted.sorted(by: >))
    }
}
