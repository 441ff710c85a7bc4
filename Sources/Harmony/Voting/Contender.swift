import Model

/// An emoji with its votes and the evidence for it (spec section 7, rules 2 to 4).
struct Contender {
    let emoji: String
    /// The services that voted for it, sorted.
    let services: [String]
    let semantic: [String]
    let classification: [String]
    let specialized: [String]
    /// Sorted, without duplicates.
    let words: [String]
    /// The fused boxes with this emoji, sorted by label, then by number.
    let boxes: [BoxEvidence]
    let shiny: Bool
    private(set) var weight: Int
    private(set) var score: Int
    private(set) var validation: [String] = []

    init(_ tally: Tally, boxes: [BoxEvidence], evidence: (String) -> Evidence) {
        emoji = tally.emoji
        services = tally.services
        semantic = tally.services.filter { evidence($0) == .semantic }
        classification = tally.services.filter { evidence($0) == .classification }
        specialized = tally.services.filter { evidence($0) == .specialized }
        words = sortedDistinct(tally.words)
        self.boxes = boxes
        shiny = tally.shiny
        let detections = boxes.map(\.box.detections.count).max() ?? 0
        let describers = semantic.count + classification.count
        weight = services.count + max(0, detections - 1) + max(0, describers - 1)
        score = services.count + weight
    }

    /// Curation. The weight and the score change together, and do not go below 0.
    mutating func adjust(by difference: Int, because reason: String) {
        weight = max(0, weight + difference)
        score = max(0, score + difference)
        validation.append(reason)
    }

    /// The order of rule 5.
    func precedes(_ other: Contender) -> Bool {
        if services.count != other.services.count { return services.count > other.services.count }
        return weight == other.weight ? emoji.precedes(other.emoji) : weight > other.weight
    }

    var json: JSON {
        var members: [JSON.Member] = [
            .init("emoji", .string(emoji)), .init("votes", .int(Int64(services.count))),
            .init("evidence_weight", .int(Int64(weight))), .init("final_score", .int(Int64(score))),
            .init("instances", instances), .init("evidence", evidence), .init("services", strings(services)),
        ]
        if !boxes.isEmpty { members.append(.init("bounding_boxes", .array(boxes.map(\.json)))) }
        if !validation.isEmpty { members.append(.init("validation", strings(validation))) }
        if shiny { members.append(.init("shiny", true)) }
        return .object(members)
    }

    private var instances: JSON {
        boxes.isEmpty
            ? .object(["count": 1, "type": "non_spatial"])
            : .object(["count": .int(Int64(boxes.count)), "type": "spatial"])
    }

    private var evidence: JSON {
        .object([
            "spatial": boxes.isEmpty ? .null : spatial,
            "semantic": semantic.isEmpty
                ? .null
                : .object([
                    "service_count": .int(Int64(semantic.count)), "words": strings(words), "sources": strings(semantic),
                ]),
            "classification": classification.isEmpty
                ? .null
                : .object(["service_count": .int(Int64(classification.count)), "sources": strings(classification)]),
            "specialized": specialized.isEmpty ? .null : strings(specialized),
        ])
    }

    private var spatial: JSON {
        let confidence = boxes.reduce(0) { $0 + $1.box.averageConfidence } / Double(boxes.count)
        return .object([
            "detection_count": .int(Int64(boxes.map(\.box.detections.count).max() ?? 0)),
            "avg_confidence": .double(rounded(confidence, decimals: .three)),
            "instance_count": .int(Int64(boxes.count)),
        ])
    }
}

/// A JSON array of strings.
func strings(_ texts: [String]) -> JSON { .array(texts.map(JSON.string)) }
