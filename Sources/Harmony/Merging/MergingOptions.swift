/// The options of merging: `merging` of service_config.json, and DEFAULT_CONFIDENCE. The values have been checked
/// already.
public struct MergingOptions: Sendable, Equatable {
    /// A box joins a cluster if its IoU with the fused box is at least this; in (0, 1].
    public var mergeIoU: Double
    /// A second box of one service is a duplicate of the first if their IoU is at least this; in (0, 1].
    public var duplicateIoU: Double
    /// A stored and a new box are the same object if their IoU is at least this; in (0, 1].
    public var keepIoU: Double
    /// A box that only one of several detectors saw stays if its confidence is at least this, from 0 to 1.
    public var loneConfidence: Double
    /// If there is only one detector, a box stays if its confidence is at least this, from 0 to 1.
    public var minConfidence: Double
    /// The confidence of a prediction that names none, from 0 to 1.
    public var defaultConfidence: Double
    /// Labels, and the labels into which they are folded. They come in addition to the built-in ones and override them.
    /// Both sides are normalised as labels are. If two keys become equal, the one that comes first by Unicode scalars
    /// counts.
    public var synonyms: [String: String] {
        didSet { foldings = MergingOptions.foldings(adding: synonyms) }
    }
    /// All synonyms, normalised.
    private(set) var foldings: [ExactText: String]

    /// The defaults are those of the contract.
    public init(
        mergeIoU: Double = 0.5, duplicateIoU: Double = 0.7, keepIoU: Double = 0.9, loneConfidence: Double = 0.85,
        minConfidence: Double = 0.25, defaultConfidence: Double = 0.75, synonyms: [String: String] = [:]
    ) {
        self.mergeIoU = mergeIoU
        self.duplicateIoU = duplicateIoU
        self.keepIoU = keepIoU
        self.loneConfidence = loneConfidence
        self.minConfidence = minConfidence
        self.defaultConfidence = defaultConfidence
        self.synonyms = synonyms
        foldings = MergingOptions.foldings(adding: synonyms)
    }

    /// The label by which boxes are compared: normalised, then folded once.
    func label(_ text: String) -> String {
        let label = normalizedLabel(text)
        return foldings[ExactText(label)] ?? label
    }

    private static func foldings(adding synonyms: [String: String]) -> [ExactText: String] {
        var all = builtIn
        for (key, value) in synonyms.sorted(by: { $1.key.precedes($0.key) }) {
            let (from, to) = (normalizedLabel(key), normalizedLabel(value))
            if !from.isEmpty, !to.isEmpty { all[ExactText(from)] = to }
        }
        return all
    }

    /// Pascal VOC's names for labels that COCO names differently.
    private static let builtIn: [ExactText: String] = [
        ExactText("tvmonitor"): "tv", ExactText("motorbike"): "motorcycle", ExactText("aeroplane"): "airplane",
        ExactText("sofa"): "couch", ExactText("pottedplant"): "potted plant", ExactText("diningtable"): "dining table",
        ExactText("cellphone"): "cell phone",
    ]
}
