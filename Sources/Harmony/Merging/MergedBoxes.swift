import Model

/// A cluster that stays, with the values by which it is sorted.
struct KeptCluster {
    let cluster: Cluster
    /// The score, not rounded.
    let score: Double
    /// The position among all clusters, which decides when all else is equal. It follows from the order of step 2.
    let age: Int

    /// The order of the boxes: by label, then by number.
    fileprivate static func precedes(_ left: KeptCluster, _ right: KeptCluster, _ ranks: [Int32]) -> Bool {
        if left.cluster.label != right.cluster.label {
            return ranks[Int(left.cluster.label)] < ranks[Int(right.cluster.label)]
        }
        if left.score != right.score { return left.score > right.score }
        if left.cluster.fused.precedes(right.cluster.fused) { return true }
        return !right.cluster.fused.precedes(left.cluster.fused) && left.age < right.age
    }
}

extension Clustering {
    /// Step 5 of section 6: which clusters stay, and their scores. Sorted by label, then by number.
    func keptClusters(options: MergingOptions) -> [KeptCluster] {
        let (detectors, ranks) = (reading.services.count, reading.labelRanks)
        var objects: [KeptCluster] = []
        objects.reserveCapacity(clusters.count)
        for (age, cluster) in clusters.enumerated() where Clustering.stays(cluster, detectors, options) {
            objects.append(KeptCluster(cluster: cluster, score: cluster.confidenceSum / Double(detectors), age: age))
        }
        objects.sort { KeptCluster.precedes($0, $1, ranks) }
        return objects
    }

    /// Step 6 of section 6: the names of the clusters that stay. Sorted by label, then by number.
    func mergedBoxes(options: MergingOptions) -> [MergedBox] {
        let objects = keptClusters(options: options)
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

    private func mergedBox(_ object: KeptCluster, _ number: Int) -> MergedBox {
        let cluster = object.cluster
        var detections: [Detection] = []
        detections.reserveCapacity(cluster.count)
        var services: [Int32] = []
        services.reserveCapacity(cluster.count)
        var emoji: String?
        var place = cluster.first
        while place >= 0 {
            let member = candidates[Int(place)]
            place = next[Int(place)]
            detections.append(
                Detection(
                    service: reading.services[Int(member.service)], confidence: member.confidence, bbox: member.box))
            services.append(member.service)
            if emoji == nil { emoji = reading.normalizedEmoji(of: member) }
        }
        services.sort()
        assert(services.count == cluster.count, "the members of a cluster hang together")
        assert(
            zip(services, services.dropFirst()).allSatisfy { $0 < $1 }, "a service has at most one box in a cluster")
        assert(
            (0...Double(cluster.count)).contains(cluster.confidenceSum),
            "predictions that count have a confidence of 0…1")
        var sources = services.map { reading.resultIDs[Int($0)] }
        sources.sort()
        let label = reading.labels[Int(cluster.label)]
        return MergedBox(
            clusterID: label + "_" + String(number), label: label, emoji: emoji, bbox: cluster.fused.roundedBox,
            averageConfidence: rounded(cluster.confidenceSum / Double(cluster.count), decimals: .three),
            score: rounded(object.score, decimals: .three),
            contributingServices: services.map { reading.services[Int($0)] }, detections: detections,
            sourceResultIDs: sources)
    }
}
