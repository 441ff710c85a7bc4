import Model

/// A fused box and what was found in it.
struct BoxEvidence {
    var mergedID: Int
    var box: MergedBox
    /// The emoji, normalised, since a foreign row may hold a variant.
    var emoji: String?
    /// The predictions of the face service about its crop.
    var faces: [JSON] = []
    /// Whether the pose service found a pose in its crop.
    var hasPose = false

    var showsPerson: Bool { emoji == "🧑" }

    /// k of the `cluster_id` `label_k`. nil if a foreign row has another kind of id.
    var number: Int? {
        guard let underscore = box.clusterID.lastIndex(of: "_") else { return nil }
        return Int(box.clusterID[underscore...].dropFirst())
    }

    /// The entry of an emoji's `bounding_boxes`.
    var json: JSON {
        .object([
            "cluster_id": .string(box.clusterID), "merged_bbox": box.bbox.json, "emoji": .optional(emoji),
            "label": .string(box.label), "detection_count": .int(Int64(box.detections.count)),
            "avg_confidence": .double(box.averageConfidence), "detections": box.json["detections"] ?? [],
        ])
    }

    /// Sorts by label, then by number. Rows of other programs, which may lack a number or share one, come last, by id.
    func precedes(_ other: BoxEvidence) -> Bool {
        if !box.label.isExactly(other.box.label) { return box.label.precedes(other.box.label) }
        let (mine, others) = (number ?? .max, other.number ?? .max)
        return mine == others ? mergedID < other.mergedID : mine < others
    }
}

/// The boxes by label, then by number, with the faces and poses of their enrichments: rows with status `success` whose
/// answer has a prediction. Rows that are no box, and enrichments of boxes that are gone, are left out.
func boxFindings(_ boxes: [StoredBox], _ enrichments: [StoredEnrichment]) -> [BoxEvidence] {
    let found = Dictionary(grouping: enrichments.filter { $0.status == .success }, by: \.mergedID)
    return boxes.compactMap { stored in
        guard let box = stored.box else { return nil }
        var findings = BoxEvidence(mergedID: stored.mergedID, box: box, emoji: box.emoji.flatMap(normalizedEmoji))
        for enrichment in found[stored.mergedID] ?? [] {
            switch enrichment.service {
            case "face": findings.faces += predictions(in: enrichment.data)
            case "pose": findings.hasPose = findings.hasPose || !predictions(in: enrichment.data).isEmpty
            default: break
            }
        }
        return findings
    }.sorted { $0.precedes($1) }
}
