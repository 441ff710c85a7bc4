import Model

/// The newest successful result of a service whose evidence is spatial.
public struct DetectorAnswer: Sendable {
    /// `results.result_id`.
    public var resultID: Int
    /// The detector's name.
    public var service: String
    /// The service's whole answer, its `predictions` inside.
    public var data: JSON

    /// An answer as it was stored.
    public init(resultID: Int, service: String, data: JSON) {
        self.resultID = resultID
        self.service = service
        self.data = data
    }
}

/// A kind of predictions that do not count.
public struct PredictionFault: Sendable, Hashable {
    /// The detector that sent them.
    public var service: String
    /// One line for people: `an empty label`.
    public var reason: String
}

/// The boxes of one image, fused.
public struct Fusion: Sendable, Equatable {
    /// By label (Unicode scalars), then number.
    public var boxes: [MergedBox]
    /// How many predictions did not count: of another shape, without label or usable box, or of a confidence outside of
    /// 0…1. Duplicates and clusters that do not stay are not among them.
    public var faults: [PredictionFault: Int]

    /// How many predictions counted, by detector.
    public var counted: [String: Int]

    /// All that did not count.
    public var dropped: Int { faults.values.reduce(0, +) }

    /// What fusing gave.
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
/// - Parameter answers: of every spatial service that has one, empty ones too: they count as detectors. Of a service
///   that stands twice, the answer with the largest `resultID` counts.
public func fuse(_ answers: [DetectorAnswer], options: MergingOptions) -> Fusion {
    let clustering = Clustering(Reading(answers, options: options), options: options)
    var counts = Array(repeating: 0, count: clustering.reading.services.count)
    for candidate in clustering.reading.candidates { counts[Int(candidate.service)] += 1 }
    return Fusion(
        boxes: clustering.mergedBoxes(options: options), faults: clustering.reading.faults,
        counted: Dictionary(zip(clustering.reading.services, counts)) { $0 + $1 })
}
