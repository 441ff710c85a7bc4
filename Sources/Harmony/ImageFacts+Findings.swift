import Model

extension ImageFacts {
    /// What an image is searched by.
    /// - Parameters:
    ///   - detections: the newest successful row of each detector.
    ///   - standing: what has answered and failed; consensus and disagreement are found here.
    public init(
        imageID: ImageID, detections: [StoredResult], boxes: [StoredBox], consensus: JSON?, standing: ImageStanding,
        options: MergingOptions
    ) {
        self.init(imageID: imageID)
        let fused = boxes.compactMap(\.box)
        for box in fused { labels[box.label] = max(labels[box.label] ?? 0, box.averageConfidence) }
        confidence = fused.map(\.averageConfidence).max() ?? 0

        let answers = detections.map { DetectorAnswer(resultID: $0.resultID, service: $0.service, data: $0.data) }
        let reading = Reading(answers, options: options)
        for candidate in reading.candidates {
            let label = reading.labels[Int(candidate.label)]
            guard labels[label] == nil else { continue }
            unfusedLabels[label] = max(unfusedLabels[label] ?? 0, candidate.confidence)
        }
        for entry in consensus?["votes"]?["consensus"]?.arrayValue ?? [] {
            guard let text = entry["emoji"]?.stringValue, let votes = entry["votes"]?.integerValue else { continue }
            emoji[text] = max(emoji[text] ?? 0, min(votes, 10_000))
        }
        self.standing = standing
        self.standing.hasConsensus = consensus != nil
        self.standing.disagrees =
            reading.services.count >= 2
            && (fused.contains { $0.detections.count < reading.services.count }
                || ImageFacts.isSeenAlone(in: reading, options))
    }

    /// A detector that is this sure has seen something, even if fusing drops what it alone has seen.
    private static let sureConfidence = 0.5

    private static func isSeenAlone(in reading: Reading, _ options: MergingOptions) -> Bool {
        reading.candidates.contains { $0.confidence >= sureConfidence }
            && Clustering(reading, options: options).clusters.contains {
                $0.count == 1 && $0.confidenceSum >= sureConfidence
            }
    }
}
