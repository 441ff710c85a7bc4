import Foundation
import Model

/// What farm reads from one answer of a service, for people who connect one. The same code reads it that merges and
/// votes.
public struct Inspection: Sendable, Equatable {
    /// A distinct emoji that is a vote of the service.
    public struct Vote: Sendable, Equatable {
        /// The emoji, normalised.
        public var emoji: String
        /// The words that the service mapped to it, if its evidence is semantic.
        public var words: [String]
    }

    /// A box that is merged with the boxes of other detectors.
    public struct ReadBox: Sendable, Equatable {
        /// Its place in `predictions`, counted from 0.
        public var prediction: Int
        /// The label, normalised and with synonyms folded.
        public var label: String
        /// The emoji, normalised.
        public var emoji: String?
        /// From 0 to 1.
        public var confidence: Double
        /// In pixels of the upright picture.
        public var bbox: Box
    }

    /// A prediction, or a part of one, that does not count.
    public struct Dropped: Sendable, Equatable {
        /// Its place in `predictions`, counted from 0.
        public var prediction: Int
        /// One line for people.
        public var reason: String
    }

    /// Sorted by the emoji's Unicode scalars.
    public var votes: [Vote]
    /// In the order of the predictions. None unless the service's evidence is spatial.
    public var boxes: [ReadBox]
    /// In the order of the predictions.
    public var dropped: [Dropped]
    /// How many predictions have a `bbox`, whether it is merged or not.
    public var bboxes: Int

    /// Reads the answer of a service.
    /// - Parameter evidence: how the service's answers count.
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

/// Why emojis that a prediction names are no votes.
private func voteFaults(of prediction: JSON) -> [String] {
    emojiMappings(in: prediction).compactMap { mapping in
        guard let emoji = mapping.emoji, !emoji.isNull, mapping.named == nil else { return nil }
        guard let text = emoji.stringValue else { return "an emoji that is no text" }
        return text.isEmpty ? nil : "“\(text.prefix(40))” is no emoji"
    }
}

/// Why a prediction is not merged. This is the reason that `Reading` counts when it drops one.
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
