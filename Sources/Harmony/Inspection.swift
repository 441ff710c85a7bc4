import Foundation
import Model

/// What farm reads from one answer of a service: for people who connect one. It is read by the very code that merges and
/// votes.
public struct Inspection: Sendable, Equatable {
    /// A distinct emoji that is a vote of the service.
    public struct Vote: Sendable, Equatable {
        /// Normalised.
        public var emoji: String
        /// What the service mapped to it, if its evidence is semantic.
        public var words: [String]
    }

    /// A box that is merged with those of other detectors.
    public struct ReadBox: Sendable, Equatable {
        /// Its place in `predictions`, from 0.
        public var prediction: Int
        /// Normalised, synonyms folded.
        public var label: String
        /// Normalised.
        public var emoji: String?
        /// 0…1.
        public var confidence: Double
        /// In pixels of the upright picture.
        public var bbox: Box
    }

    /// What does not count.
    public struct Dropped: Sendable, Equatable {
        /// Its place in `predictions`, from 0.
        public var prediction: Int
        /// One line for people.
        public var reason: String
    }

    /// By the emoji's Unicode scalars.
    public var votes: [Vote]
    /// In the order of the predictions; none unless the service's evidence is spatial.
    public var boxes: [ReadBox]
    /// In the order of the predictions.
    public var dropped: [Dropped]
    /// How many predictions hold a `bbox`, whether it is merged or not.
    public var bboxes: Int

    /// Reads the answer of a service.
    /// - Parameter evidence: what the service's answers count as.
    public init(of answer: JSON, service: String, evidence: Evidence, options: MergingOptions) {
        let predictions = predictions(in: answer)
        let row = StoredResult(
            resultID: 1, imageID: 1, service: service, data: answer, status: .success, processingTime: 0,
            created: Date(timeIntervalSince1970: 0))
        votes = tallies(of: [row]) { _ in evidence }
            .map { Vote(emoji: $0.emoji, words: Set($0.words).sorted()) }
            .sorted { $0.emoji.precedes($1.emoji) }
        bboxes = predictions.count { $0["bbox"]?.isNull == false }
        (boxes, dropped) = ([], [])

        var counting: [Int] = []
        for (index, prediction) in predictions.enumerated() {
            guard case .object = prediction else {
                dropped.append(Dropped(prediction: index, reason: "no object"))
                continue
            }
            for reason in voteFaults(of: prediction) { dropped.append(Dropped(prediction: index, reason: reason)) }
            guard evidence == .spatial else { continue }
            if let reason = boxFault(of: prediction, options: options) {
                dropped.append(Dropped(prediction: index, reason: reason))
            } else {
                counting.append(index)
            }
        }
        guard evidence == .spatial else { return }
        let reading = Reading([DetectorAnswer(resultID: 1, service: service, data: answer)], options: options)
        boxes = zip(counting, reading.candidates).map { index, candidate in
            ReadBox(
                prediction: index, label: reading.labels[Int(candidate.label)],
                emoji: reading.normalizedEmoji(of: candidate), confidence: candidate.confidence, bbox: candidate.box)
        }
    }
}

/// Why what a prediction names is no vote.
private func voteFaults(of prediction: JSON) -> [String] {
    emojiMappings(in: prediction).compactMap { mapping in
        guard let emoji = mapping.emoji, !emoji.isNull, mapping.named == nil else { return nil }
        guard let text = emoji.stringValue else { return "an emoji that is no text" }
        return text.isEmpty ? nil : "“\(text.prefix(40))” is no emoji"
    }
}

/// Why a prediction is not merged: what `Reading` drops and counts.
func boxFault(of prediction: JSON, options: MergingOptions) -> String? {
    guard case .object = prediction else { return "no object" }
    guard let label = prediction["label"]?.stringValue else { return "no label" }
    guard !options.label(label).isEmpty else { return "an empty label" }
    guard let box = Box(prediction["bbox"]) else { return "no bbox of four numbers x, y, width, height" }
    guard Reading.usableBox(prediction["bbox"]) != nil else {
        return min(box.width, box.height) < 0.01 ? "a box without area" : "a box out of range"
    }
    guard Reading.confidence(prediction["confidence"], options) != nil else { return "a confidence outside of 0…1" }
    return nil
}
