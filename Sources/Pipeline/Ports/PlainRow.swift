import Foundation
import Model

/// An ordinary row as a role writes it. A store that refuses this one would refuse any of its kind.
///
/// It contains an emoji, as nearly all of farm's rows do. A database whose encoding has no emojis refuses them.
public enum PlainRow: Sendable, Hashable {
    /// A row of `results` for a service, written by a worker.
    case result(service: String, workerID: String)
    /// A row of `merged_boxes`.
    case box(workerID: String)
    /// A row of `postprocessing`.
    case enrichment
    /// A row of `consensus`.
    case consensus
}

/// The values of plain rows.
package enum PlainValues {
    private static let prediction: JSON = .object(["label": "farm", "emoji": "🙂", "confidence": 0.5])

    /// A result of a job that nobody has submitted.
    package static func result(_ image: ImageID, service: String, workerID: String) -> AnalysisResult {
        let data: JSON = .object([
            "service": .string(service), "status": "success", "predictions": .array([prediction]),
        ])
        return AnalysisResult(
            imageID: image, service: service, data: data.bytes, status: .success, processingTime: 0.5,
            workerID: workerID, jobID: UUID())
    }

    /// A box that no detector found.
    package static let mergedBox: MergedBox = {
        let place = Box(x: 1, y: 1, width: 1, height: 1)
        return MergedBox(
            clusterID: "farm_1", label: "farm", emoji: "🙂", bbox: place, averageConfidence: 0.5, score: 0.5,
            contributingServices: ["farm"], detections: [Detection(service: "farm", confidence: 0.5, bbox: place)],
            sourceResultIDs: [])
    }()

    /// An answer about a box.
    package static func enrichment(_ image: ImageID, of mergedID: Int) -> Enrichment {
        Enrichment(
            imageID: image, mergedID: mergedID, service: "colors",
            data: .object(["predictions": .array([prediction])]), status: .success)
    }

    /// A vote.
    package static let consensusRecord = ConsensusRecord(
        data: .object(["votes": .array([prediction])]), processingTime: 0.5)
}
