import Model

/// A prediction that counts.
struct Candidate {
    /// Index into `Reading.labels`.
    var label: Int32
    /// Index into `Reading.services`, which is sorted, so the smaller index comes first.
    var service: Int32
    /// Index into `Reading.emoji`.
    var ordinal: Int32
    /// From 0 to 1.
    var confidence: Double
    /// The box as it was sent.
    var box: Box
}

/// What is read from the answers before anything is compared: step 1 of section 6, and which predictions count.
struct Reading {
    /// Every detector that answered, sorted by Unicode scalars.
    private(set) var services: [String] = []
    /// The result ids of the services, in the same order.
    private(set) var resultIDs: [Int] = []
    private(set) var labels: [String] = []
    private(set) var candidates: [Candidate] = []
    /// The emoji of the candidates as they were sent, in the order of reading.
    private(set) var emoji: [String?] = []
    /// How many predictions do not count, by reason.
    private(set) var faults: [PredictionFault: Int] = [:]

    /// The labels of texts as they were sent. Each text is normalised once.
    private var labelOfText = TextTable()
    /// The place of each label in `labels`.
    private var placeOfLabel = TextTable()

    init(_ answers: [DetectorAnswer], options: MergingOptions) {
        let newestFirst = answers.sorted { left, right in
            left.service.isExactly(right.service)
                ? left.resultID > right.resultID : left.service.precedes(right.service)
        }
        var answers: [[JSON]] = []
        for answer in newestFirst where services.last?.isExactly(answer.service) != true {
            services.append(answer.service)
            resultIDs.append(answer.resultID)
            answers.append(answer.data["predictions"]?.arrayValue ?? [])
        }
        let count = answers.reduce(0) { $0 + $1.count }
        candidates.reserveCapacity(count)
        emoji.reserveCapacity(count)
        for (service, predictions) in answers.enumerated() {
            for prediction in predictions where !take(prediction, of: Int32(service), options) {
                let reason = boxFault(of: prediction, options: options) ?? "of another shape"
                faults[PredictionFault(service: services[service], reason: reason), default: 0] += 1
            }
        }
    }

    /// The place of each label in the order of Unicode scalars.
    var labelRanks: [Int32] {
        var ranks = Array(repeating: Int32(0), count: labels.count)
        let sorted = labels.indices.sorted { labels[$0].precedes(labels[$1]) }
        for (rank, label) in sorted.enumerated() { ranks[label] = Int32(rank) }
        return ranks
    }

    private mutating func take(_ prediction: JSON, of service: Int32, _ options: MergingOptions) -> Bool {
        guard let text = prediction["label"]?.stringValue, let box = Reading.usableBox(prediction["bbox"]),
            let confidence = Reading.confidence(prediction["confidence"], options), let label = label(of: text, options)
        else { return false }
        candidates.append(
            Candidate(
                label: label, service: service, ordinal: Int32(emoji.count), confidence: confidence, box: box))
        emoji.append(prediction["emoji"]?.stringValue)
        return true
    }

    /// The emoji of a prediction that counts. nil if it names none, or something that is no emoji.
    func normalizedEmoji(of candidate: Candidate) -> String? {
        emoji[Int(candidate.ordinal)].flatMap(Harmony.normalizedEmoji)
    }

    /// The index of a text's label, which several texts may share. nil for an empty label.
    private mutating func label(of text: String, _ options: MergingOptions) -> Int32? {
        if let known = labelOfText[text] { return known }
        let label = options.label(text)
        guard !label.isEmpty else { return nil }
        let place = placeOfLabel[label] ?? Int32(labels.count)
        if place == labels.count {
            labels.append(label)
            placeOfLabel.append(label, place)
        }
        labelOfText.append(text, place)
        return place
    }

    static func usableBox(_ json: JSON?) -> Box? {
        guard let box = Box(json), abs(box.x) <= 1e7, abs(box.y) <= 1e7, (0.01...1e7).contains(box.width),
            (0.01...1e7).contains(box.height)
        else { return nil }
        // Adding zero turns -0.0 into 0.0, which it equals.
        return Box(x: box.x + 0.0, y: box.y + 0.0, width: box.width, height: box.height)
    }

    static func confidence(_ json: JSON?, _ options: MergingOptions) -> Double? {
        guard let json, !json.isNull else { return options.defaultConfidence }
        guard let number = json.numberValue, (0...1).contains(number) else { return nil }
        return number + 0.0
    }
}

/// A table of numbers by text, compared by Unicode scalars. A picture shows few kinds of things, so comparing their
/// names one by one is faster than hashing.
private struct TextTable {
    private static let hashingPays = 24

    private var few: [(text: String, number: Int32)] = []
    private var many: [ExactText: Int32] = [:]

    subscript(text: String) -> Int32? {
        guard many.isEmpty else { return many[ExactText(text)] }
        // Texts that are not canonically equal are not exactly equal either, and that is quickly found out.
        for index in few.indices where few[index].text == text && few[index].text.isExactly(text) {
            return few[index].number
        }
        return nil
    }

    /// Adds a text that is not in the table yet.
    mutating func append(_ text: String, _ number: Int32) {
        if few.count < TextTable.hashingPays {
            few.append((text, number))
        } else {
            if many.isEmpty {
                for entry in few { many[ExactText(entry.text)] = entry.number }
            }
            many[ExactText(text)] = number
        }
    }
}
