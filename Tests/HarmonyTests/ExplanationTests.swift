import Doubles
import Model
import Testing

@testable import Harmony

@Suite("Why a box was kept or dropped")
struct ExplanationTests {
    @Test(
        "what is explained is what fusing does, prediction by prediction",
        arguments: (0..<150).map { ($0, 14) } + [(150, 900)] as [(UInt64, Int)])
    func agreesWithFusing(seed: UInt64, predictions: Int) throws {
        var random = SplitMix64(seed: seed)
        let answers = randomAnswers(&random, predictions: predictions)
        let options = seed % 3 == 0 ? keepAll : MergingOptions()
        let (fusion, explained) = (fuse(answers, options: options), explain(answers, options: options))
        #expect(explained.boxes == fusion.boxes)
        let sent = answers.reduce(0) { $0 + (($1.data["predictions"]?.arrayValue ?? []).count) }
        #expect(explained.predictions.count == sent)
        var members = Array(repeating: [ExplainedPrediction](), count: fusion.boxes.count)
        var invalid = 0
        for prediction in explained.predictions {
            switch prediction.fate {
            case .fused(let box): members[box].append(prediction)
            case .invalid: invalid += 1
            case .duplicate(let place, let iou):
                let other = explained.predictions[place]
                #expect(other.service == prediction.service && other.label == prediction.label)
                #expect(iou >= options.duplicateIoU)
                #expect(try #require(other.confidence) >= #require(prediction.confidence))
                if case .duplicate = other.fate { Issue.record("a duplicate of a duplicate") }
            case .alone(let needs):
                #expect(explained.detectors.count > 1 && needs == options.loneConfidence)
                #expect(try #require(prediction.confidence) < needs)
            case .unsure(let needs):
                #expect(explained.detectors.count == 1 && needs == options.minConfidence)
                #expect(try #require(prediction.confidence) < needs)
            }
        }
        #expect(invalid == fusion.dropped)
        for (box, members) in zip(fusion.boxes, members) {
            #expect(Set(members.map(\.service)) == Set(box.contributingServices))
            #expect(members.count == box.detections.count)
            #expect(members.allSatisfy { $0.label == box.label })
            #expect(members.map { $0.confidence ?? -1 }.sorted(by: >) == box.detections.map(\.confidence))
        }
        let (detectors, objects) = seenObjects(answers, options: options)
        #expect(detectors == explained.detectors)
        #expect(objects.count { $0.isFused } == fusion.boxes.count)
    }

    @Test("a box that stays alone names what it lies near, and a fused one who did not see it")
    func neighbours() throws {
        let explained = explain(
            [
                answer("a", 1, [prediction("cat", 0, 0, 10, 10, confidence: 0.6), prediction("dog", 50, 0, 10, 10)]),
                answer("b", 2, [prediction("lynx", 1, 0, 10, 10, confidence: 0.5), "no object"]),
            ], options: MergingOptions())
        #expect(explained.boxes.map(\.label) == ["dog"])
        let cat = explained.predictions[0]
        #expect(cat.fate == .alone(needs: 0.85))
        #expect(cat.nearest?.prediction == 2)
        #expect(try #require(cat.nearest).iou > 0.8)
        #expect(explained.predictions[1].fate == .fused(0))
        #expect(explained.predictions[3].fate == .invalid("no object"))
        #expect(explained.absences(at: 0) == [DetectorAbsence(service: "b", nearest: nil, iou: 0)])
        #expect(explained.absences(at: 7) == [])
        let near = explain(
            [answer("a", 1, [prediction("dog", 0, 0, 10, 10)]), answer("b", 2, [prediction("cat", 0, 0, 10, 9)])],
            options: MergingOptions())
        let absence = try #require(near.absences(at: 1).first)
        #expect(near.boxes[1].label == "dog")
        #expect(absence.service == "b" && absence.nearest == 1)
        #expect(abs(absence.iou - 0.9) < 1e-9)
    }
}

@Suite("What an image is found by")
struct ImageFactTests {
    private func facts(_ detections: [StoredResult], _ boxes: [MergedBox], _ consensus: JSON? = nil) -> ImageFacts {
        ImageFacts(
            imageID: 1, detections: detections, boxes: boxes.enumerated().map { stored($0, $1) }, consensus: consensus,
            standing: ImageStanding(answered: detections.map(\.service)), options: MergingOptions())
    }

    private func seen(_ label: String, _ confidence: JSON) -> JSON {
        prediction(.string(label), 0, 0, 10, 10, confidence: confidence)
    }

    @Test("labels are those of fused boxes, and beside them those that only a detector named")
    func labels() {
        let facts = facts(
            [row(1, "yolov8", [seen("Cat", 0.9), seen("sofa", 0.2), seen("sofa", 0.4), seen("", 1)])],
            [mergedBox("cat", 1, emoji: nil, confidence: 0.8), mergedBox("cat", 2, emoji: nil, confidence: 0.7)])
        #expect(facts.labels == ["cat": 0.8])
        #expect(facts.unfusedLabels == ["couch": 0.4])
        #expect(facts.confidence == 0.8)
        #expect(facts.votes == 0)
    }

    @Test("detectors disagree about a box that not all who answered have seen, not where one answered alone")
    func disagreement() {
        let (one, both) = (
            mergedBox("cat", 1, emoji: nil, seenBy: ["a"]), mergedBox("cat", 1, emoji: nil, seenBy: ["a", "b"])
        )
        let answers = [row(1, "a", [seen("cat", 0.9)]), row(2, "b", [seen("cat", 0.9)])]
        #expect(facts(answers, [one]).standing.disagrees)
        #expect(!facts(answers, [both]).standing.disagrees)
        #expect(!facts([answers[0]], [one]).standing.disagrees)
    }

    @Test("detectors disagree about what one of them was sure of and fusing dropped")
    func droppedBoxes() {
        func disagree(_ first: [JSON], _ second: [JSON]) -> Bool {
            facts([row(1, "a", first), row(2, "b", second)], []).standing.disagrees
        }
        #expect(disagree([seen("cat", 0.7)], []))
        #expect(disagree([seen("cat", 0.7)], [seen("dog", 0.2)]))
        #expect(!disagree([seen("cat", 0.49)], []))
        #expect(!disagree([seen("cat", 0.7)], [seen("cat", 0.3)]))
        // The second box of the same thing by the same detector is a duplicate.
        #expect(!disagree([seen("cat", 0.9), seen("cat", 0.8)], [seen("cat", 0.6)]))
        #expect(!facts([row(1, "a", [seen("cat", 0.7)])], []).standing.disagrees)
    }

    @Test("emoji are those of the consensus, whatever shape another program gave it")
    func emojiOfConsensus() throws {
        let consensus = try JSON(
            parsing: Array(#"{"votes":{"consensus":[{"emoji":"🐱","votes":3},{"emoji":7},{"votes":2},8]}}"#.utf8))
        #expect(facts([], [], consensus).emoji == ["🐱": 3])
        #expect(facts([], [], consensus).standing.hasConsensus)
        #expect(facts([], [], .null).emoji == [:])
        #expect(!facts([], []).standing.hasConsensus)
    }

    @Test("the state is that of the expected services")
    func states() {
        let expected = ["a", "b"]
        func state(_ answered: [String], _ failed: [String]) -> ImageState {
            ImageStanding(answered: answered, failed: failed).state(expecting: expected)
        }
        #expect(state([], []) == .pending)
        #expect(state(["c"], ["d"]) == .pending)
        #expect(state(["a"], []) == .partial)
        #expect(state([], ["a"]) == .partial)
        #expect(state(["a", "b"], []) == .complete)
        #expect(state(["a", "b"], ["c"]) == .complete)
        #expect(state(["a"], ["b"]) == .completeWithErrors)
        #expect(state(["a", "b"], ["b"]) == .completeWithErrors)
        #expect(ImageStanding(answered: ["a"]).state(expecting: []) == .complete)
        #expect(ImageStanding().state(expecting: []) == .pending)
        #expect(ImageStanding(failed: ["a"]).missing(of: expected) == ["b"])
    }
}
