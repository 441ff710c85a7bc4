import Model

/// Boxes of one label that are taken for the same object, whether a fused box became of them or not.
public struct SeenObject: Sendable, Equatable {
    /// What it is.
    public var label: String
    /// The detectors that saw it, sorted.
    public var detectors: [String]
    /// The highest confidence among them.
    public var confidence: Double
    /// It became a fused box.
    public var isFused: Bool
}

/// What the detectors of an image saw, by the matching that fuses boxes.
/// - Returns: every detector that answered, and the objects in no particular order.
public func seenObjects(
    _ answers: [DetectorAnswer], options: MergingOptions
) -> (detectors: [String], objects: [SeenObject]) {
    let clustering = Clustering(Reading(answers, options: options), options: options)
    let fused = Set(clustering.keptClusters(options: options).map(\.age))
    let objects = clustering.clusters.enumerated().map { age, cluster in
        var services: [String] = []
        var member = cluster.first
        while member >= 0 {
            services.append(clustering.reading.services[Int(clustering.candidates[Int(member)].service)])
            member = clustering.next[Int(member)]
        }
        return SeenObject(
            label: clustering.reading.labels[Int(cluster.label)], detectors: services.sorted { $0.precedes($1) },
            confidence: clustering.candidates[Int(cluster.first)].confidence, isFused: fused.contains(age))
    }
    return (clustering.reading.services, objects)
}

/// What a service says of an image, as far as it counts: the labels and emoji that it names, sorted.
public func outcome(of answer: JSON, options: MergingOptions) -> [String] {
    let predictions = predictions(in: answer)
    let labels = predictions.compactMap { $0["label"]?.stringValue.map(options.label) }.filter { !$0.isEmpty }
    return sortedDistinct(labels) + sortedDistinct(predictions.flatMap(namedEmoji).map(\.emoji))
}

/// The confidences, 0…1, that a service gives its predictions.
public func confidences(in answer: JSON) -> [Double] {
    predictions(in: answer).compactMap { $0["confidence"]?.numberValue }.filter { (0...1).contains($0) }
}
