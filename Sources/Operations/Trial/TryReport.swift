import Harmony
import Model
import Pipeline

/// What `farm try` shows about an answer.
package struct TryReport {
    /// The service that was called.
    package let service: TriedService
    /// The answer of the service.
    package let answer: Answer
    /// What farm reads from the answer.
    package let inspection: Inspection

    /// The output of `farm try --json`. `prediction` is a place in `answer.predictions`, counted from 0.
    package var json: JSON {
        .object([
            "service": .string(service.name), "address": .string(service.address),
            "evidence": .string(service.evidence.rawValue), "processing_time": .double(answer.processingTime),
            "votes": .array(
                inspection.votes.map {
                    .object(["emoji": .string($0.emoji), "words": .array($0.words.map(JSON.string))])
                }),
            "boxes": .array(
                inspection.boxes.map {
                    .object([
                        "prediction": .int(Int64($0.prediction)), "label": .string($0.label),
                        "emoji": .optional($0.emoji), "confidence": .double($0.confidence), "bbox": $0.bbox.json,
                    ])
                }),
            "dropped": .array(
                inspection.dropped.map {
                    .object(["prediction": .int(Int64($0.prediction)), "reason": .string($0.reason)])
                }),
            "answer": answer.json,
        ])
    }
}
