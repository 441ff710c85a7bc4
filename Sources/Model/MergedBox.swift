/// One box of one detector inside a fused box.
public struct Detection: Sendable, Equatable {
    /// The name of the service.
    public var service: String
    /// From 0 to 1.
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
    /// `label_k`, where k counts from 1 within the label.
    public var clusterID: String
    /// What the box shows, in lower case.
    public var label: String
    /// The emoji, normalised.
    public var emoji: String?
    /// The box, with its corners rounded to 2 decimals.
    public var bbox: Box
    /// The mean confidence of the members, with 3 decimals.
    public var averageConfidence: Double
    /// Mean confidence × members / detectors, with 3 decimals.
    public var score: Double
    /// The services of the members, sorted.
    public var contributingServices: [String]
    /// The members in the order of fusion, by descending confidence.
    public var detections: [Detection]
    /// The `result_id`s of the contributing services' results, sorted.
    public var sourceResultIDs: [Int]

    /// The value of `harmonization_algorithm`.
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

    /// The value of `merged_data`. Its members are always in the same order.
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

    /// Reads `merged_data`. nil if a row of another program lacks a label or a box; it may lack anything else.
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

/// A row of `merged_boxes`. `data` is kept as it was stored: a foreign row may be unreadable, and is then no box.
public struct StoredBox: Sendable, Equatable {
    /// The id of the row.
    public var mergedID: Int
    /// The value of `merged_data`.
    public var data: JSON

    package init(mergedID: Int, data: JSON) {
        self.mergedID = mergedID
        self.data = data
    }

    /// The fused box. nil if `data` cannot be read.
    public var box: MergedBox? { MergedBox(data) }
}
