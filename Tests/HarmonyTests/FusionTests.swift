import Harmony
import Model
import Testing

@Suite("Fusing boxes, by hand")
struct FusionTests {
    @Test("three detectors' boxes become the mean of their corners, weighted by confidence")
    func weightedMean() throws {
        let fusion = fuse(
            [
                answer("yolov8", 7, [prediction("dog", 100, 100, 100, 100, confidence: 0.5, emoji: "🐶")]),
                answer("detectron2", 9, [prediction("dog", 110, 100, 100, 110, confidence: 0.25)]),
                answer("rtdetr", 3, []),
            ], options: MergingOptions())
        let box = try #require(fusion.boxes.first)
        // (100 × 0.5 + 110 × 0.25) / 0.75 = 103.333…; right edges 200 and 210; bottoms 200 and 210.
        #expect(
            box.json.text == #"""
                {"cluster_id":"dog_1","label":"dog","emoji":"🐶",\#
                "merged_bbox":{"x":103.33,"y":100.0,"width":100.0,"height":103.33},\#
                "detection_count":2,"avg_confidence":0.375,"score":0.25,\#
                "contributing_services":["detectron2","yolov8"],"detections":[\#
                {"service":"yolov8","confidence":0.5,"bbox":{"x":100.0,"y":100.0,"width":100.0,"height":100.0}},\#
                {"service":"detectron2","confidence":0.25,"bbox":{"x":110.0,"y":100.0,"width":100.0,"height":110.0}}],\#
                "harmonization_algorithm":"weighted_boxes_fusion_v1","source_result_ids":[7,9]}
                """#)
        #expect(fusion.boxes.count == 1)
        #expect(fusion.dropped == 0)
    }

    @Test("a label is folded before it is compared, and named by what it is folded into")
    func labels() {
        let fusion = fuse(
            [
                answer("a", 1, [prediction("  Dining \t\n table ", 0, 0, 10, 10)]),
                answer("b", 2, [prediction("DiningTable", 0, 0, 10, 10)]),
                answer("c", 3, [prediction("dining\u{A0}table", 0, 0, 10, 10)]),
            ], options: MergingOptions())
        #expect(fusion.boxes.map(\.clusterID) == ["dining table_1"])
        #expect(fusion.boxes.first?.detections.count == 3)
    }

    @Test("boxes of different labels are not fused, and come by label, then number")
    func labelsApart() {
        let boxes = [
            prediction("dog", 0, 0, 10, 10), prediction("cat", 0, 0, 10, 10), prediction("dog", 50, 0, 10, 10),
        ]
        let fusion = fuse([answer("a", 1, boxes), answer("b", 2, boxes)], options: MergingOptions())
        #expect(fusion.boxes.map(\.clusterID) == ["cat_1", "dog_1", "dog_2"])
    }

    @Test("labels are told apart by their Unicode scalars, however alike they look")
    func scalars() {
        let boxes = ["caf\u{E9}", "cafe\u{301}"].map { prediction(.string($0), 0, 0, 10, 10) }
        let fusion = fuse([answer("a", 1, boxes)], options: keepAll)
        #expect(fusion.boxes.map { Array($0.label.utf8) } == [Array("cafe\u{301}".utf8), Array("caf\u{E9}".utf8)])
    }

    @Test(
        "a prediction counts or is dropped",
        arguments: [
            (prediction("dog", 0, 0, 10, 10), true),
            (prediction("dog", -1e7, 1e7, 0.01, 1e7), true),
            (prediction("dog", 0, 0, 10, 10, confidence: 0), true),
            (prediction("dog", 0, 0, 10, 10, confidence: 1), true),
            (prediction("dog", 0, 0, 10, 10, confidence: .null), true),
            (prediction("dog", 0, 0, 10, 10, confidence: nil), true),
            (prediction("dog", 1.1e7, 0, 10, 10), false),
            (prediction("dog", 0, -1.1e7, 10, 10), false),
            (prediction("dog", 0, 0, 0.009, 10), false),
            (prediction("dog", 0, 0, 10, -10), false),
            (prediction("dog", 0, 0, 10, 1.1e7), false),
            (prediction("dog", 0, 0, true, 10), false),
            (prediction("dog", 0, "0", 10, 10), false),
            (prediction("dog", .double(.nan), 0, 10, 10), false),
            (prediction("dog", 0, 0, .double(.infinity), 10), false),
            (prediction("dog", 0, .null, 10, 10), false),
            (prediction("dog", 0, 0, 10, 10, confidence: 1.001), false),
            (prediction("dog", 0, 0, 10, 10, confidence: -0.001), false),
            (prediction("dog", 0, 0, 10, 10, confidence: true), false),
            (prediction("dog", 0, 0, 10, 10, confidence: "0.9"), false),
            (prediction("", 0, 0, 10, 10), false),
            (prediction(" \u{3000}\n", 0, 0, 10, 10), false),
            (prediction(.null, 0, 0, 10, 10), false),
            (prediction(7, 0, 0, 10, 10), false),
            (.object(["label": "dog"]), false), (.object(["label": "dog", "bbox": [0, 0, 10, 10]]), false),
            (.null, false), ("dog", false), (["dog"], false),
        ] as [(JSON, Bool)])
    func counting(prediction: JSON, counts: Bool) {
        let fusion = fuse([answer("a", 1, [prediction])], options: keepAll)
        #expect(fusion.boxes.count == (counts ? 1 : 0))
        #expect(fusion.dropped == (counts ? 0 : 1))
        #expect(fusion.faults.keys.allSatisfy { $0.service == "a" && $0.reason != "of another shape" })
    }

    @Test("what does not count is told by service and reason")
    func faults() {
        let flat = prediction("dog", 0, 0, 10, 0)
        let fusion = fuse(
            [
                answer("a", 1, [flat, flat, prediction("", 0, 0, 10, 10), prediction("dog", 0, 0, 10, 10)]),
                answer("b", 2, [flat, "dog"]), answer("b", 1, [flat]),
            ], options: keepAll)
        #expect(fusion.dropped == 5)
        let lines = fusion.faults.map { "\($0.key.service): \($0.value) \($0.key.reason)" }.sorted()
        #expect(
            lines == ["a: 1 an empty label", "a: 2 a box without area", "b: 1 a box without area", "b: 1 no object"])
    }

    @Test(
        "an answer without a list of predictions is an empty answer",
        arguments: [.null, [], .object([]), .object(["predictions": .null]), .object(["predictions": "dog"])] as [JSON])
    func emptyAnswers(data: JSON) {
        let fusion = fuse([DetectorAnswer(resultID: 1, service: "a", data: data)], options: keepAll)
        #expect(fusion == Fusion(boxes: [], faults: [:], counted: ["a": 0]))
    }

    @Test("a prediction without confidence has the default one")
    func defaultConfidence() {
        let fusion = fuse(
            [answer("a", 1, [prediction("dog", 0, 0, 10, 10, confidence: nil)])],
            options: MergingOptions(defaultConfidence: 0.6))
        #expect(fusion.boxes.first?.averageConfidence == 0.6)
        #expect(fusion.boxes.first?.detections.first?.confidence == 0.6)
    }

    @Test("a second box of one service is a duplicate from duplicate_iou on, and no dropped prediction")
    func duplicates() {
        // 10 × 7 of 10 × 10: IoU exactly 0.7.
        let boxes = [prediction("dog", 0, 0, 10, 10, confidence: 0.9), prediction("dog", 0, 0, 10, 7, confidence: 0.8)]
        let same = fuse([answer("a", 1, boxes)], options: keepAll)
        #expect(same.boxes.map(\.averageConfidence) == [0.9])
        #expect(same.dropped == 0)
        var options = keepAll
        options.duplicateIoU = 0.71
        #expect(fuse([answer("a", 1, boxes)], options: options).boxes.count == 2)
    }

    @Test("a duplicate of a duplicate is kept: only kept boxes count")
    func duplicatesOfKeptBoxes() {
        let boxes = [0.0, 1.5, 3.0].enumerated().map {
            prediction("dog", .double($1), 0, 10, 10, confidence: .double(0.9 - Double($0) / 10))
        }
        let fusion = fuse([answer("a", 1, boxes)], options: keepAll)
        #expect(fusion.boxes.map(\.bbox.x) == [0, 3])
    }

    @Test("of equal boxes of one service the one with an emoji is kept, and of several that which comes first")
    func equalBoxes() {
        let boxes = [nil, "🐱", "dog", "☕", "🐶"].map { prediction("dog", 0, 0, 10, 10, emoji: $0) }
        for order in [boxes, boxes.reversed()] {
            #expect(fuse([answer("a", 1, order)], options: keepAll).boxes.map(\.emoji) == ["☕"])
        }
    }

    @Test("of one service at most one box is in a cluster, the surer one")
    func onePerService() {
        // IoU of 0 and 2.5 is 0.6, no duplicate at 0.7; both overlap b's box by over 0.5.
        let fusion = fuse(
            [
                answer(
                    "a", 1,
                    [
                        prediction("dog", 0, 0, 10, 10, confidence: 0.9),
                        prediction("dog", 2.5, 0, 10, 10, confidence: 0.88),
                    ]),
                answer("b", 2, [prediction("dog", 1, 0, 10, 10, confidence: 0.95)]),
            ], options: MergingOptions())
        #expect(fusion.boxes.map { $0.detections.map(\.confidence) } == [[0.95, 0.9], [0.88]])
        #expect(fusion.boxes.map(\.contributingServices) == [["a", "b"], ["a"]])
    }

    @Test("a box joins the cluster it overlaps most; of equal ones the older")
    func bestCluster() {
        let two = answer(
            "a", 1,
            [
                prediction("dog", 0, 0, 10, 10, confidence: 0.7), prediction("dog", 4, 0, 10, 10, confidence: 0.9),
            ])
        var options = keepAll
        options.mergeIoU = 0.4
        let nearer = fuse(
            [two, answer("b", 2, [prediction("dog", 1.9, 0, 10, 10, confidence: 0.5)])], options: options)
        #expect(nearer.boxes.first { $0.detections.count == 2 }?.detections.first?.confidence == 0.7)
        let between = fuse([two, answer("b", 2, [prediction("dog", 2, 0, 10, 10, confidence: 0.5)])], options: options)
        #expect(between.boxes.first { $0.detections.count == 2 }?.detections.first?.confidence == 0.9)
    }

    @Test("a box joins from merge_iou on, measured against the fused box as it is by then")
    func fusedBoxMoves() {
        func boxes(third: JSON) -> [[Double]] {
            fuse(
                [
                    answer("a", 1, [prediction("dog", 0, 0, 10, 10, confidence: 0.8)]),
                    answer("b", 2, [prediction("dog", 0, 0, 10, 5, confidence: 0.8)]),
                    answer("c", 3, [third]),
                ], options: keepAll
            ).boxes.map { $0.detections.map(\.bbox.height) }
        }
        // b joins at IoU 0.5 exactly; fused height 7.5: 3.75 is half of that, but not of a's 10.
        #expect(boxes(third: prediction("dog", 0, 0, 10, 3.75, confidence: 0.7)) == [[10, 5, 3.75]])
        #expect(boxes(third: prediction("dog", 0, 0, 10, 3.74, confidence: 0.7)) == [[10, 5], [3.74]])
    }

    @Test("when all confidences are 0 the fused box is the plain mean")
    func zeroConfidence() {
        let fusion = fuse(
            [
                answer("a", 1, [prediction("dog", 0, 0, 10, 10, confidence: 0)]),
                answer("b", 2, [prediction("dog", 1, 0, 10, 10, confidence: 0)]),
                answer("c", 3, [prediction("dog", 2, 0, 10, 10, confidence: 0)]),
            ], options: MergingOptions())
        #expect(fusion.boxes.map(\.bbox) == [Box(x: 1, y: 0, width: 10, height: 10)])
        #expect(fusion.boxes.map(\.score) == [0])
    }

    @Test(
        "a lone box stays by its confidence and the number of detectors, empty answers included",
        arguments: [(0.85, 2, true), (0.849, 2, false), (0.25, 1, true), (0.249, 1, false)])
    func loneBoxes(confidence: Double, detectors: Int, stays: Bool) {
        var answers = [answer("a", 1, [prediction("dog", 0, 0, 10, 10, confidence: .double(confidence))])]
        if detectors == 2 { answers.append(answer("b", 2, [])) }
        let boxes = fuse(answers, options: MergingOptions()).boxes
        #expect(boxes.count == (stays ? 1 : 0))
        if stays { #expect(boxes.first?.score == (confidence / Double(detectors) * 1000).rounded() / 1000) }
    }

    @Test("two unsure detectors are enough")
    func pairsStay() {
        let fusion = fuse(
            ["a", "b"].enumerated().map { answer($1, $0, [prediction("dog", 0, 0, 10, 10, confidence: 0.01)]) },
            options: MergingOptions())
        #expect(fusion.boxes.map(\.averageConfidence) == [0.01])
    }

    @Test("clusters are numbered by unrounded score, then by x, y, width, height")
    func numbering() {
        let fusion = fuse(
            [
                answer(
                    "a", 1,
                    [
                        prediction("dog", 90, 0, 10, 10, confidence: 0.90001),
                        prediction("dog", 60, 5, 10, 10, confidence: 0.9),
                        prediction("dog", 60, 0, 3, 12, confidence: 0.9),
                        prediction("dog", 30, 0, 10, 10, confidence: 0.90002),
                        prediction("dog", 60, 0, 3, 3, confidence: 0.9),
                        prediction("dog", 60, 0, 1, 30, confidence: 0.9),
                    ])
            ], options: keepAll)
        #expect(fusion.boxes.map(\.clusterID) == (1...6).map { "dog_\($0)" })
        #expect(
            fusion.boxes.map { [$0.bbox.x, $0.bbox.y, $0.bbox.width, $0.bbox.height] } == [
                [30, 0, 10, 10], [90, 0, 10, 10], [60, 0, 1, 30], [60, 0, 3, 3], [60, 0, 3, 12], [60, 5, 10, 10],
            ])
    }

    @Test("of a service that stands twice only the largest result_id counts, also in N")
    func repeatedService() {
        let fusion = fuse(
            [
                answer("a", 5, [prediction("dog", 0, 0, 10, 10)]), answer("a", 4, [prediction("cat", 0, 0, 10, 10)]),
                answer("b", 11, [prediction("dog", 0, 0, 10, 10)]),
            ], options: MergingOptions())
        #expect(fusion.boxes.map(\.label) == ["dog"])
        #expect(fusion.boxes.map(\.score) == [0.9])
        #expect(fusion.boxes.map(\.sourceResultIDs) == [[5, 11]])
    }

    @Test("the emoji is that of the first member that has one, normalised; what is none does not count")
    func emoji() {
        func fused(_ emoji: JSON?...) -> String? {
            fuse(
                emoji.enumerated().map { number, emoji in
                    answer(
                        "s\(number)", number,
                        [
                            prediction(
                                "man", 0, 0, 10, 10, confidence: .double(0.9 - Double(number) / 10), emoji: emoji)
                        ])
                }, options: MergingOptions()
            ).boxes.first?.emoji
        }
        #expect(fused(nil, "dog", "👨🏽", "🐶") == "🧑")
        #expect(fused("", .null, 3) == nil)
        #expect(fused("1️⃣", "🐶") == "🐶")
    }

    @Test("numbers are written with two and three decimals, never as -0.0")
    func rounding() throws {
        let fusion = fuse(
            [answer("a", 1, [prediction("dog", -0.001, -0.0, 10.126, 3.333333, confidence: 0.1236)])], options: keepAll)
        let box = try #require(fusion.boxes.first)
        #expect(box.bbox.json.text == #"{"x":0.0,"y":0.0,"width":10.13,"height":3.33}"#)
        #expect(box.averageConfidence == 0.124)
        #expect(box.bbox.x.sign == .plus)
        #expect(box.detections.first?.bbox.y.sign == .plus)
        let unsure = fuse([answer("a", 1, [prediction("dog", 0, 0, 1, 1, confidence: -0.0)])], options: keepAll)
        #expect(unsure.boxes.first?.detections.first?.confidence.sign == .plus)
    }
}
