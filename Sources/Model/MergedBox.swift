/// One box of one detector inside a fused box.
public struct Detection: Sendable, Equatable {
    /// The service it is of.
    public var service: String
    /// 0…1.
    public var confidence: Double
    /// In pixels of the upright picture.
    public var bbox: Box

    package init(service: String, confidence: Double, bbox: Box) {
        self.service = service
        self.confidence = confidence
        self.bbox = bbox
    }
}

/// A fused box: what `merged_boxes.merged_data` holds (spec section 6).
public struct MergedBox: Sendable, Equatable {
    /// `label_k`, k from 1 within the label.
    public var clusterID: String
    /// What it shows, lower case.
    public var label: String
    /// Its emoji, normalised.
    public var emoji: String?
    /// Corners rounded to 2 decimals.
    public var bbox: Box
    /// Mean confidence of the members, 3 decimals.
    public var averageConfidence: Double
    /// Mean confidence × members / detectors, 3 decimals.
    public var score: Double
    /// Sorted.
    public var contributingServices: [String]
    /// In the order of fusion: confidence descending.
    public var detections: [Detection]
    /// Sorted `result_id`s of the contributing services' results.
    public var sourceResultIDs: [Int]

    /// `harmonization_algorithm`.
    public static let algorithm = "weighted_boxes_fusion_v1"

    package init(
        clusterID: String, label: String, emoji: String?, bbox: Box, averageConfidence: Double, score: Double,
        contributingServices: [String], detections: [Detection], sourceResultIDs: [Int]
    ) {
        self.clusterID = clusterID
        self.label = label
        self.emoji = emoji
        self.bbox = bbox
        self.averageConfidence = averageConfidence
        self.score = score
        self.contributingServices = contributingServices
        self.detections = detections
        self.sourceResultIDs = sourceResultIDs
    }

    /// `merged_data`, its members always in the same order.
    public var json: JSON {
        .object([
            "cluster_id": .string(clusterID),
            "label": .string(label),
            "emoji": .optional(emoji),
            "merged_bbox": bbox.json,
            "detection_count": .int(Int64(detections.count)),
            "avg_confidence": .double(averageConfidence),
            "score": .double(score),
            "contributing_services": .array(contributingServices.map(JSON.string)),
            "detections": .array(detections.map(\.json)),
            "harmonization_algorithm": .string(MergedBox.algorithm),
            "source_result_ids": .array(sourceResultIDs.map { .int(Int64($0)) }),
        ])
    }

    /// Reads `merged_data`. Rows of another program may lack anything but a label and a box: nil then.
    public init?(_ json: JSON) {
        guard let label = json["label"]?.stringValue, let bbox = Box(json["merged_bbox"]) else { return nil }
        let detections = (json["detections"]?.arrayValue ?? []).compactMap(Detection.init)
        self.init(
            clusterID: json["cluster_id"]?.stringValue ?? label, label: label, emoji: json["emoji"]?.stringValue,
            bbox: bbox,
            averageConfidence: json["avg_confidence"]?.numberValue ?? 0, score: json["score"]?.numberValue ?? 0,
            contributingServices: (json["contributing_services"]?.arrayValue ?? []).compactMap(\.stringValue),
            detections: detections,
            sourceResultIDs: (json["source_result_ids"]?.arrayValue ?? []).compactMap(\.integerValue))
    }
}

extension Detection {
    var json: JSON {
        .object(["service": .string(service), "confidence": .double(confidence), "bbox": bbox.json])
    }

    init?(_ json: JSON) {
        guard let service = json["service"]?.stringValue, let bbox = Box(json["bbox"]) else { return nil }
        self.init(service: service, confidence: json["confidence"]?.numberValue ?? 0, bbox: bbox)
    }
}

/// A row of `merged_boxes`. `data` is kept beside its reading: a foreign row may not be readable, and is then no box.
public struct StoredBox: Sendable, Equatable {
    /// The row of `merged_boxes`.
    public var mergedID: Int
    /// What is stored, as JSON.
    public var data: JSON

    package init(mergedID: Int, data: JSON) {
        self.mergedID = mergedID
        self.data = data
    }

    /// The fused box.
    public var box: MergedBox? { MergedBox(data) }
}
