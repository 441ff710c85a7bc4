import Model

/// The newest successful result of a service whose evidence is spatial.
public struct DetectorAnswer: Sendable {
    /// `results.result_id`.
    public var resultID: Int
    /// The name of the detector.
    public var service: String
    /// The service's whole answer, including its `predictions`.
    public var data: JSON

    /// An answer as it was stored.
    public init(resultID: Int, service: String, data: JSON) {
        self.resultID = resultID
        self.service = service
        self.data = data
    }
}

/// Predictions of one detector that do not count for the same reason.
public struct PredictionFault: Sendable, Hashable {
    /// The detector that sent them.
    public var service: String
    /// The reason, for people: `an empty label`.
    public var reason: String
}

/// The boxes of one image, fused.
public struct Fusion: Sendable, Equatable {
    /// Sorted by label (Unicode scalars), then by number.
    public var boxes: [MergedBox]
    /// How many predictions did not count: malformed, without a label or a usable box, or with a confidence outside
    /// 0…1. Duplicates, and clusters that do not stay, are not included.
    public var faults: [PredictionFault: Int]

    /// How many predictions of each detector counted.
    public var counted: [String: Int]

    /// How many predictions did not count.
    public var dropped: Int { faults.values.reduce(0, +) }

    /// The result of fusing.
    public init(boxes: [MergedBox], faults: [PredictionFault: Int], counted: [String: Int] = [:]) {
        self.boxes = boxes
        self.faults = faults
        self.counted = counted
    }
}

/// Fuses the boxes of several detectors (spec section 6, steps 1 to 6): weighted boxes fusion (Solovyev, Wang,
/// Gabruseva, "Weighted boxes fusion: Ensembling boxes from different object detection models", Image and Vision
/// Computing 107, 2021), with at most one box of a service in a cluster.
///
/// The result depends neither on the order of the answers nor on that of their predictions.
/// - Parameter answers: the answers of every spatial service that has one, including empty ones, since they count as
///   detectors. If a service is there twice, its answer with the largest `resultID` counts.
public func fuse(_ answers: [DetectorAnswer], options: MergingOptions) -> Fusion {
    let clustering = Clustering(Reading(answers, options: options), options: options)
    var counts = Array(repeating: 0, count: clustering.reading.services.count)
    for candidate in clustering.reading.candidates { counts[Int(candidate.service)] += 1 }
    return Fusion(
        boxes: clustering.mergedBoxes(options: options), faults: clustering.reading.faults,
        counted: Dictionary(zip(clustering.reading.services, counts)) { $0 + $1 })
}
