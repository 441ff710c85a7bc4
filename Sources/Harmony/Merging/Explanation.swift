import Model

/// What became of each prediction of each detector when the boxes of an image were fused, and why (spec section 6).
public struct FusionExplanation: Sendable, Equatable {
    /// Every detector that answered, by Unicode scalars.
    public var detectors: [String]
    /// The fused boxes, as `fuse` gives them.
    public var boxes: [MergedBox]
    /// Every prediction, by detector and its place in the answer.
    public var predictions: [ExplainedPrediction]

    /// Who has not seen a fused box, and what of theirs comes nearest.
    /// - Parameter box: its place in `boxes`.
    public func absences(at box: Int) -> [DetectorAbsence] {
        guard boxes.indices.contains(box), predictions.count <= 100_000 else { return [] }
        let (fused, seen) = (Corners(boxes[box].bbox), boxes[box].contributingServices)
        return detectors.filter { service in !seen.contains { $0.isExactly(service) } }.map { service in
            var nearest: (place: Int, iou: Double)?
            for (place, prediction) in predictions.enumerated() where prediction.service.isExactly(service) {
                guard prediction.isUsable, let bbox = prediction.bbox else { continue }
                let iou = fused.intersectionOverUnion(Corners(bbox))
                if iou > (nearest?.iou ?? 0) { nearest = (place, iou) }
            }
            return DetectorAbsence(service: service, nearest: nearest?.place, iou: nearest?.iou ?? 0)
        }
    }
}

/// A prediction of a detector, and what became of it.
public struct ExplainedPrediction: Sendable, Equatable {
    /// What became of it.
    public enum Fate: Sendable, Equatable {
        /// It is part of a fused box, whose place in `boxes` this is.
        case fused(Int)
        /// The same detector has a surer box of this label in the same place: that prediction, and their IoU.
        case duplicate(of: Int, iou: Double)
        /// No other detector saw it, and alone it would need this confidence (`lone_confidence`).
        case alone(needs: Double)
        /// There is only this detector, and it would need this confidence (`min_confidence`).
        case unsure(needs: Double)
        /// It does not count: why.
        case invalid(String)
    }

    /// The detector.
    public var service: String
    /// Its place in the answer's `predictions`.
    public var place: Int
    /// Normalised, synonyms folded; of what does not count as it was sent, if it was.
    public var label: String?
    /// 0…1, the default where none was sent; nil for what does not count for another reason.
    public var confidence: Double?
    /// In pixels of the upright picture, if four numbers were sent.
    public var bbox: Box?
    /// What became of it.
    public var fate: Fate
    /// If the box stayed alone, the prediction of another detector that it overlaps most, and their IoU. That one has another
    /// label, or overlaps too little (`merge_iou`).
    public var nearest: Nearest?

    /// A prediction that lies near another one.
    public struct Nearest: Sendable, Equatable {
        /// Its place in `predictions` of the explanation.
        public var prediction: Int
        /// The IoU of the two boxes.
        public var iou: Double
    }

    var isUsable: Bool {
        if case .invalid = fate { false } else { true }
    }
}

/// A detector that has not seen a fused box.
public struct DetectorAbsence: Sendable, Equatable {
    /// The detector.
    public var service: String
    /// Its prediction that overlaps the fused box most, as a place in `predictions`; nil where none does.
    public var nearest: Int?
    /// The IoU of the two boxes. 0 if none overlaps.
    public var iou: Double
}

/// Explains what `fuse` makes of the same answers: it is computed by the same code.
public func explain(_ answers: [DetectorAnswer], options: MergingOptions) -> FusionExplanation {
    let clustering = Clustering(Reading(answers, options: options), options: options)
    let reading = clustering.reading
    var predictions = listed(answers, reading, options)
    // Candidates are sorted, their ordinals count them in the order of reading.
    let usable = predictions.indices.filter { predictions[$0].isUsable }
    assert(usable.count == clustering.candidates.count, "a prediction counts, or has a fault")
    let places = clustering.candidates.map { usable[Int($0.ordinal)] }
    for (candidate, place) in zip(clustering.candidates, places) {
        predictions[place].label = reading.labels[Int(candidate.label)]
        predictions[place].confidence = candidate.confidence
    }
    for (candidate, fate) in fates(clustering, places, options).enumerated() {
        predictions[places[candidate]].fate = fate
        if case .alone = fate, places.count <= searchedPredictions {
            predictions[places[candidate]].nearest = nearest(to: candidate, clustering, places)
        }
    }
    return FusionExplanation(
        detectors: reading.services, boxes: clustering.mergedBoxes(options: options), predictions: predictions)
}

/// Each is compared with each: what more a broken detector sends is not worth the time.
private let searchedPredictions = 2000

/// All predictions in the order of reading; what counts is marked as fused, and gets its fate later.
private func listed(
    _ answers: [DetectorAnswer], _ reading: Reading, _ options: MergingOptions
) -> [ExplainedPrediction] {
    zip(reading.services, reading.resultIDs).flatMap { service, resultID -> [ExplainedPrediction] in
        let answer = answers.first { $0.service.isExactly(service) && $0.resultID == resultID }
        return (answer.map { Harmony.predictions(in: $0.data) } ?? []).enumerated().map { place, prediction in
            let fault = boxFault(of: prediction, options: options)
            return ExplainedPrediction(
                service: service, place: place, label: prediction["label"]?.stringValue,
                confidence: prediction["confidence"]?.numberValue, bbox: Box(prediction["bbox"]),
                fate: fault.map(ExplainedPrediction.Fate.invalid) ?? .fused(-1))
        }
    }
}

/// What became of each candidate.
/// - Parameter places: where each candidate stands among all predictions.
private func fates(
    _ clustering: Clustering, _ places: [Int], _ options: MergingOptions
) -> [ExplainedPrediction.Fate] {
    var fates: [ExplainedPrediction.Fate?] = Array(repeating: nil, count: clustering.candidates.count)
    func mark(_ cluster: Cluster, _ fate: ExplainedPrediction.Fate) {
        var member = cluster.first
        while member >= 0 {
            fates[Int(member)] = fate
            member = clustering.next[Int(member)]
        }
    }
    let isOnly = clustering.reading.services.count == 1
    for cluster in clustering.clusters {
        mark(cluster, isOnly ? .unsure(needs: options.minConfidence) : .alone(needs: options.loneConfidence))
    }
    for (place, kept) in clustering.keptClusters(options: options).enumerated() { mark(kept.cluster, .fused(place)) }
    let isKept = fates.map { $0 != nil }
    return fates.enumerated().map { candidate, fate in fate ?? duplicate(candidate, clustering, isKept, places) }
}

/// A candidate in no cluster repeats one of its detector and label that is in one.
private func duplicate(
    _ candidate: Int, _ clustering: Clustering, _ isKept: [Bool], _ places: [Int]
) -> ExplainedPrediction.Fate {
    let own = clustering.candidates[candidate]
    var best: (candidate: Int, iou: Double) = (candidate, 0)
    // Those of its label stand side by side, the surer ones first.
    for other in stride(from: candidate - 1, through: 0, by: -1) where isKept[other] {
        let kept = clustering.candidates[other]
        if kept.label != own.label { break }
        guard kept.service == own.service else { continue }
        let iou = Corners(kept.box).intersectionOverUnion(Corners(own.box))
        if iou > best.iou { best = (other, iou) }
    }
    return .duplicate(of: places[best.candidate], iou: best.iou)
}

private func nearest(
    to candidate: Int, _ clustering: Clustering, _ places: [Int]
) -> ExplainedPrediction.Nearest? {
    let own = clustering.candidates[candidate]
    var best: ExplainedPrediction.Nearest?
    for (other, place) in places.enumerated() where clustering.candidates[other].service != own.service {
        let iou = Corners(clustering.candidates[other].box).intersectionOverUnion(Corners(own.box))
        if iou > (best?.iou ?? 0) { best = .init(prediction: place, iou: iou) }
    }
    return best
}
