import Model

/// A cluster that stays, with what it is ordered by.
private struct Object {
    let cluster: Cluster
    /// Unrounded.
    let score: Double
    /// Position among all clusters: the last resort, which rests on the order of step 2.
    let age: Int
}

extension Clustering {
    /// Steps 5 and 6 of section 6: which clusters stay, their scores and their names. By label, then number.
    func mergedBoxes(options: MergingOptions) -> [MergedBox] {
        let detectors = reading.services.count
        let objects = clusters.enumerated().compactMap { age, cluster in
            Clustering.stays(cluster, detectors, options)
                ? Object(cluster: cluster, score: cluster.confidenceSum / Double(detectors), age: age) : nil
        }.sorted(by: precedes)

        var boxes: [MergedBox] = []
        boxes.reserveCapacity(objects.count)
        var (label, number): (Int32, Int) = (-1, 0)
        for object in objects {
            number = object.cluster.label == label ? number + 1 : 1
            label = object.cluster.label
            boxes.append(mergedBox(object, number))
        }
        return boxes
    }

    private static func stays(_ cluster: Cluster, _ detectors: Int, _ options: MergingOptions) -> Bool {
        cluster.count >= 2 || cluster.confidenceSum >= options.loneConfidence
            || (detectors == 1 && cluster.confidenceSum >= options.minConfidence)
    }

    private func precedes(_ left: Object, _ right: Object) -> Bool {
        if left.cluster.label != right.cluster.label {
            return reading.labels[Int(left.cluster.label)].precedes(reading.labels[Int(right.cluster.label)])
        }
        if left.score != right.score { return left.score > right.score }
        if left.cluster.fused.precedes(right.cluster.fused) { return true }
        return !right.cluster.fused.precedes(left.cluster.fused) && left.age < right.age
    }

    private func mergedBox(_ object: Object, _ number: Int) -> MergedBox {
        let cluster = object.cluster
        var detections: [Detection] = []
        detections.reserveCapacity(cluster.count)
        var services: [Int32] = []
        services.reserveCapacity(cluster.count)
        var emoji: String?
        for member in members(of: cluster) {
            detections.append(
                Detection(
                    service: reading.services[Int(member.service)], confidence: member.confidence, bbox: member.box))
            services.append(member.service)
            if emoji == nil { emoji = reading.normalizedEmoji(of: member) }
        }
        services.sort()
        let label = reading.labels[Int(cluster.label)]
        return MergedBox(
            clusterID: label + "_" + String(number), label: label, emoji: emoji, bbox: cluster.fused.roundedBox,
            averageConfidence: rounded(cluster.confidenceSum / Double(cluster.count), decimals: .three),
            score: rounded(object.score, decimals: .three),
            contributingServices: services.map { reading.services[Int($0)] }, detections: detections,
            sourceResultIDs: services.map { reading.resultIDs[Int($0)] }.sorted())
    }
}
