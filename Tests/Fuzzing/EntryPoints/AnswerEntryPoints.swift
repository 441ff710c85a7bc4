import Foundation
import Harmony
import Model

@testable import Roles
@testable import Services

/// A service's answers. Where an entry point takes several texts, NUL bytes stand between them: JSON holds none.
extension EntryPoint {
    /// What a worker reads of an answer.
    static let answer = EntryPoint(name: "answer", longest: 16_384) { input in
        for status in [200, 404, 503] {
            let response = HTTPResponse(status: status, body: input, retryAfter: nil, seconds: 0.1)
            switch response.answer(from: "blip at localhost:7777") {
            case .success(let answer):
                try promise(status == 200 && answer.processingTime >= 0, "\(status), \(answer.processingTime) s")
                try promise(answer.processingTime.isFinite, "a time without end")
                let again = try? JSON(parsing: answer.json.bytes)
                try promise(again?.bytes == answer.json.bytes, "JSON that does not stay itself: \(answer.json.text)")
            case .failure(let fault):
                try promise(fault.message.isPlain, "a fault that steers the terminal: \(fault.message)")
                try promise(fault.message.unicodeScalars.count < 700, "a fault without end: \(fault.message)")
            }
        }
    }

    /// The boxes of several detectors, the last text being a row of merged_boxes that another program wrote.
    static let merging = EntryPoint(name: "merging", longest: 16_384) { input in
        var texts = texts(input)
        let row = texts.count > 1 ? texts.popLast() : nil
        let answers = texts.enumerated().map { number, text in
            DetectorAnswer(resultID: number + 1, service: "detector\(number % 3)", data: text)
        }
        let options = MergingOptions()
        let fusion = fuse(answers, options: options)
        try promise(fuse(answers.reversed(), options: options) == fusion, "the order of the answers counts")
        for box in fusion.boxes {
            let again = (try? JSON(parsing: box.json.bytes)).flatMap { MergedBox($0) }
            try promise(again == box, "\(box) becomes \(String(describing: again))")
        }
        let present = fusion.boxes.enumerated().map { StoredBox(mergedID: $0 + 1, data: $1.json) }
        let stored = present + (row.map { [StoredBox(mergedID: 1000, data: $0)] } ?? [])
        let changes = reconcile(stored: stored, fused: fusion.boxes, keepIoU: options.keepIoU)
        try promise(changes.kept.count + changes.inserted.count == fusion.boxes.count, "boxes are lost")
        try promise(changes.kept.count + changes.removed.count == stored.count, "rows are lost")
    }

    /// The answers of several services, then a row of merged_boxes and one of postprocessing.
    static let voting = EntryPoint(name: "voting", longest: 16_384) { input in
        var texts = texts(input)
        let crop = texts.count > 2 ? texts.popLast() : nil
        let box = texts.count > 1 ? texts.popLast() : nil
        let services = ["blip", "ocr", "face", "nsfw2", "clip", "yolov8", "pose", "colors"]
        let results = zip(services, texts).enumerated().map { number, pair in
            StoredResult(
                resultID: number, imageID: 1, service: pair.0, data: pair.1, status: .success, processingTime: 1,
                created: Date(timeIntervalSince1970: Double(number)))
        }
        let enrichments = (crop.map { [$0] } ?? []).flatMap { data in
            ["face", "pose"].map { StoredEnrichment(mergedID: 1, service: $0, data: data, status: .success) }
        }
        var ballot = Ballot(
            results: results, successes: results, boxes: box.map { [StoredBox(mergedID: 1, data: $0)] } ?? [],
            enrichments: enrichments, evidence: [:])
        let consensus = vote(ballot, options: VotingOptions(minVotes: 1))
        try promise((consensus == nil) == results.isEmpty, "no consensus, or one of nothing")
        ballot.results.reverse()
        ballot.successes.reverse()
        let again = vote(ballot, options: VotingOptions(minVotes: 1))
        try promise(again?.bytes == consensus?.bytes, "the order of the answers counts")
        _ = vote(ballot, options: VotingOptions())
        _ = isPerson(label: box?["label"]?.stringValue ?? "", emoji: box?["emoji"]?.stringValue)
    }

    /// A crop service's answer, whose places are put into the image.
    static let cropAnswer = EntryPoint(name: "crop_answer", longest: 16_384) { input in
        guard let answer = try? JSON(parsing: input) else { return }
        let placed = CropAnswer(answer, area: Box(x: 10, y: 20, width: 300, height: 400)).placed
        try promise((try? JSON(parsing: placed.bytes)) != nil, "what is stored cannot be read: \(placed.text)")
        _ = Enrichment.isFinal(answer)
    }

    /// Those parts of the input that are JSON.
    private static func texts(_ input: [UInt8]) -> [JSON] {
        input.split(separator: 0, maxSplits: 9).compactMap { try? JSON(parsing: $0) }
    }
}
