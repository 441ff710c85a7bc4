import Foundation
import Harmony
import Model

/// A prediction of a detector.
func prediction(
    _ label: JSON, _ x: JSON, _ y: JSON, _ width: JSON, _ height: JSON, confidence: JSON? = 0.9, emoji: JSON? = nil
) -> JSON {
    var members: [JSON.Member] = [
        .init("label", label), .init("bbox", .object(["x": x, "y": y, "width": width, "height": height])),
    ]
    if let confidence { members.append(.init("confidence", confidence)) }
    if let emoji { members.append(.init("emoji", emoji)) }
    return .object(members)
}

func answer(_ service: String, _ resultID: Int, _ predictions: [JSON]) -> DetectorAnswer {
    DetectorAnswer(resultID: resultID, service: service, data: .object(["predictions": .array(predictions)]))
}

/// Options under which every box of a cluster stays.
let keepAll = MergingOptions(loneConfidence: 0, minConfidence: 0)

/// A row of `results` whose answer has these predictions; the row's number is also its minute.
func row(
    _ resultID: Int, _ service: String, _ predictions: [JSON], status: ResultStatus = .success, seconds: Double = 0.25
) -> StoredResult {
    StoredResult(
        resultID: resultID, imageID: 1, service: service, data: .object(["predictions": .array(predictions)]),
        status: status, processingTime: seconds, created: Date(timeIntervalSince1970: Double(resultID) * 60))
}

func emoji(_ emoji: String) -> JSON { .object(["emoji": .string(emoji)]) }

func ballot(
    _ successes: [StoredResult], failures: [StoredResult] = [], boxes: [StoredBox] = [],
    enrichments: [StoredEnrichment] = [], evidence: [String: Evidence] = [:]
) -> Ballot {
    let failed = Set(failures.map(\.service))
    return Ballot(
        results: successes.filter { !failed.contains($0.service) } + failures, successes: successes, boxes: boxes,
        enrichments: enrichments, evidence: evidence)
}

/// A fused box seen by `services`, each with this confidence.
func mergedBox(
    _ label: String, _ number: Int, emoji: String?, seenBy services: [String] = ["detectron2", "yolov8"],
    confidence: Double = 0.8, at bbox: Box = Box(x: 0, y: 0, width: 10, height: 20)
) -> MergedBox {
    MergedBox(
        clusterID: "\(label)_\(number)", label: label, emoji: emoji, bbox: bbox, averageConfidence: confidence,
        score: confidence, contributingServices: services,
        detections: services.map { Detection(service: $0, confidence: confidence, bbox: bbox) }, sourceResultIDs: [1])
}

func stored(_ mergedID: Int, _ box: MergedBox) -> StoredBox { StoredBox(mergedID: mergedID, data: box.json) }

func enrichment(
    _ service: String, of mergedID: Int, _ predictions: [JSON], status: ResultStatus = .success
) -> StoredEnrichment {
    StoredEnrichment(
        mergedID: mergedID, service: service, data: .object(["predictions": .array(predictions)]), status: status)
}
