import Doubles
import Model
import Testing

@testable import Harmony

/// Answers of up to four detectors: crowded enough for ties, duplicates and rivalry, with some predictions that do not
/// count. Numbers are coarse, so that many are equal.
func randomAnswers(_ random: inout SplitMix64, predictions: Int = 14) -> [DetectorAnswer] {
    let emoji: [JSON?] = [nil, "🐶", "👩🏽", "dog", "🐱"]
    return ["a", "b", "ä", "c"].prefix(Int.random(in: 1...4, using: &random)).enumerated().map { number, service in
        answer(
            service, 10 - number,
            (0..<Int.random(in: 0...predictions, using: &random)).map { _ in
                func number(_ range: ClosedRange<Int>) -> JSON {
                    .double(Double(Int.random(in: range, using: &random)) / 2)
                }
                return prediction(
                    .string(["dog", "Dog ", "cat", ""].randomElement(using: &random) ?? ""), number(-9...9),
                    number(0...9),
                    number(0...30), number(8...20),
                    confidence: [.null, 0, 0.3, 0.5, 0.9, 1, 2].randomElement(using: &random),
                    emoji: emoji.randomElement(using: &random) ?? nil)
            })
    }
}

/// The same answers and predictions in another order.
func shuffled(_ answers: [DetectorAnswer], _ random: inout SplitMix64) -> [DetectorAnswer] {
    answers.shuffled(using: &random).map { given in
        let predictions = (given.data["predictions"]?.arrayValue ?? []).shuffled(using: &random)
        return answer(given.service, given.resultID, predictions)
    }
}

@Suite("Fusing boxes, of any input")
struct FusionPropertyTests {
    @Test(
        "the order of answers and predictions changes no byte, be they few or many",
        arguments: (0..<200).map { ($0, 14) } + (0..<5).map { ($0, 1500) } as [(UInt64, Int)])
    func order(seed: UInt64, predictions: Int) {
        var random = SplitMix64(seed: seed)
        let answers = randomAnswers(&random, predictions: predictions)
        let expected = fuse(answers, options: keepAll)
        for _ in 0..<5 {
            let other = fuse(shuffled(answers, &random), options: keepAll)
            #expect(other.boxes.map(\.json.bytes) == expected.boxes.map(\.json.bytes))
            #expect(other.dropped == expected.dropped)
        }
    }

    @Test(
        "each service is at most once in a box, and each box overlaps what it was made of",
        arguments: 0..<100 as Range<UInt64>)
    func membership(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let answers = randomAnswers(&random)
        for box in fuse(answers, options: keepAll).boxes {
            let services = box.detections.map(\.service)
            #expect(Set(services).count == services.count)
            #expect(box.contributingServices == services.sorted { $0.precedes($1) })
            #expect(box.sourceResultIDs == box.sourceResultIDs.sorted())
            #expect(box.detections.map(\.confidence) == box.detections.map(\.confidence).sorted(by: >))
            let (left, right) = (box.detections.map(\.bbox.x), box.detections.map { $0.bbox.x + $0.bbox.width })
            #expect((left.min() ?? 0) - 0.01 <= box.bbox.x)
            #expect(box.bbox.x + box.bbox.width <= (right.max() ?? 0) + 0.02)
        }
    }

    @Test("what is written is read back as the same box", arguments: 0..<50 as Range<UInt64>)
    func reading(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for box in fuse(randomAnswers(&random), options: keepAll).boxes {
            #expect(MergedBox(try JSON(parsing: box.json.bytes)) == box)
        }
    }

    @Test("many boxes, kept in a grid, fuse as a plain search would fuse them", arguments: 0..<8 as Range<UInt64>)
    func grid(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let boxes = (0..<600).map { _ in
            let scale: Double = [1.0, 30.0, 900.0].randomElement(using: &random) ?? 1
            let x = Double.random(in: 0...200, using: &random)
            let box = Box(
                x: x, y: seed % 2 == 0 ? Double.random(in: 0...200, using: &random) : x,
                width: scale * Double.random(in: 1...3, using: &random),
                height: scale * Double.random(in: 1...3, using: &random))
            return Corners(box)
        }
        var set = BoxSet(among: boxes)
        var present: [Corners] = []
        for box in boxes {
            set.append(boxes[0])
            present.append(boxes[0])
            set.move(present.count - 1, to: box)
            present[present.count - 1] = box
            for threshold in [0.05, 0.5, 0.9] {
                var found: [Int] = []
                set.forEach(overlapping: box, from: threshold) { number, _ in found.append(number) }
                let expected = present.indices.filter { present[$0].intersectionOverUnion(box) >= threshold }
                #expect(found.sorted() == expected)
            }
        }
    }

    @Test("a box overlaps itself by exactly 1, wherever it lies", arguments: 0..<100 as Range<UInt64>)
    func identity(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let box = Corners(
            Box(
                x: Double.random(in: -1e7...1e7, using: &random), y: Double.random(in: -1e7...1e7, using: &random),
                width: Double.random(in: 0.01...9, using: &random),
                height: Double.random(in: 0.01...1e7, using: &random)))
        #expect(box.intersectionOverUnion(box) == 1)
    }
}
