import Model
import Pipeline

extension ImageReport {
    /// The output of `farm show --json` (spec section 1).
    package var json: JSON {
        .object([
            "image": .object([
                "image_id": .int(Int64(image.id)), "image_filename": .optional(image.filename),
                "image_path": .optional(image.path), "image_url": .optional(image.url),
                "image_group": .optional(image.group),
            ]),
            "results": .array(
                findings.results.map {
                    .object([
                        "result_id": .int(Int64($0.resultID)), "service": .string($0.service),
                        "status": .string($0.status.rawValue),
                        "processing_time": .double($0.processingTime),
                        "result_created": .string(Timestamp.iso8601($0.created)),
                        "data": $0.data,
                    ])
                }),
            "merged_boxes": .array(
                findings.boxes.map { .object(["merged_id": .int(Int64($0.mergedID)), "merged_data": $0.data]) }),
            "postprocessing": .array(
                findings.enrichments.map {
                    .object([
                        "merged_box_id": .int(Int64($0.mergedID)), "service": .string($0.service),
                        "status": .string($0.status.rawValue), "data": $0.data,
                    ])
                }),
            "consensus": consensus ?? .null,
        ])
    }
}
