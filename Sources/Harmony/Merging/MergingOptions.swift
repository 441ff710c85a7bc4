/// What merging goes by: `merging` of service_config.json, and DEFAULT_CONFIDENCE. The values are taken as checked.
public struct MergingOptions: Sendable, Equatable {
    /// From this IoU with its fused box on, a box joins a cluster; in (0, 1].
    public var mergeIoU: Double
    /// From this IoU on, a second box of one service is the first one again; in (0, 1].
    public var duplicateIoU: Double
    /// From this IoU on, a stored and a new box are the same object; in (0, 1].
    public var keepIoU: Double
    /// The confidence, 0…1, from which on a box stays that only one of several detectors has seen.
    public var loneConfidence: Double
    /// The confidence, 0…1, from which on a box stays where there is only one detector.
    public var minConfidence: Double
    /// The confidence, 0…1, of a prediction that names none.
    public var defaultConfidence: Double
    /// Labels and what they are folded into, beside the built-in ones, over which they win. Both sides are normalised
    /// as labels are; where two keys become one, the key that comes first by Unicode scalars counts.
    public var synonyms: [String: String] {
        didSet { foldings = MergingOptions.foldings(adding: synonyms) }
    }
    /// All synonyms, normalised.
    private(set) var foldings: [ExactText: String]

    /// The contract's defaults, where nothing is said.
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

    /// The label that boxes are compared by: normalised, then folded once.
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

    /// Pascal VOC's names for what COCO names otherwise.
    private static let builtIn: [ExactText: String] = [
        ExactText("tvmonitor"): "tv", ExactText("motorbike"): "motorcycle", ExactText("aeroplane"): "airplane",
        ExactText("sofa"): "couch", ExactText("pottedplant"): "potted plant", ExactText("diningtable"): "dining table",
        ExactText("cellphone"): "cell phone",
    ]
}
