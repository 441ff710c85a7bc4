import Model

/// Boxes of one label that count as the same object, at most one from each service.
struct Cluster {
    /// Index into `Reading.labels`.
    let label: Int32
    /// Indices into `Clustering.candidates`. `Clustering.next` links the members in between.
    let first: Int32
    private(set) var last: Int32
    private(set) var count = 1
    /// The mean of the members' corners, weighted by confidence; the plain mean when all confidences are 0.
    private(set) var fused: Corners
    private(set) var confidenceSum: Double
    private var weightSum: Double
    private var weighted: Corners

    init(opening index: Int32, _ candidate: Candidate) {
        label = candidate.label
        first = index
        last = index
        fused = Corners(candidate.box)
        confidenceSum = candidate.confidence
        // The first member has the highest confidence, so if that is 0, all are.
        weightSum = candidate.confidence > 0 ? candidate.confidence : 1
        weighted = fused.scaled(by: weightSum)
    }

    mutating func join(_ index: Int32, _ candidate: Candidate) {
        last = index
        count += 1
        confidenceSum += candidate.confidence
        let weight = confidenceSum > 0 ? candidate.confidence : 1
        weightSum += weight
        weighted.add(Corners(candidate.box).scaled(by: weight))
        fused = weighted.scaled(over: weightSum)
    }
}

/// Steps 2 to 4 of section 6: sorts the boxes, removes duplicates, and makes clusters.
struct Clustering {
    let reading: Reading
    /// In the order of step 2, label by label.
    let candidates: [Candidate]
    /// For each candidate, the next member of its cluster. -1 for the last one, and for candidates in no cluster.
    private(set) var next: [Int32]
    /// Sorted by label, the oldest first.
    private(set) var clusters: [Cluster] = []

    init(_ reading: Reading, options: MergingOptions) {
        self.reading = reading
        candidates = Clustering.sorted(reading)
        next = Array(repeating: -1, count: candidates.count)
        clusters.reserveCapacity(candidates.count / 2)
        var room = Room()
        var start = 0
        while start < candidates.count {
            var end = start + 1
            while end < candidates.count, candidates[end].label == candidates[start].label { end += 1 }
            gather(start..<end, options, &room)
            start = end
        }
    }

    /// What decides a candidate's order in nearly all cases, and its place.
    private struct SortKey {
        let label: Int32
        let place: Int32
        let confidence: Double
    }

    private static func sorted(_ reading: Reading) -> [Candidate] {
        var keys: [SortKey] = []
        keys.reserveCapacity(reading.candidates.count)
        for (place, candidate) in reading.candidates.enumerated() {
            keys.append(SortKey(label: candidate.label, place: Int32(place), confidence: candidate.confidence))
        }
        keys.sort { left, right in
            if left.label != right.label { return left.label < right.label }
            if left.confidence != right.confidence { return left.confidence > right.confidence }
            return precedes(reading.candidates[Int(left.place)], reading.candidates[Int(right.place)], reading)
        }
        return keys.map { reading.candidates[Int($0.place)] }
    }

    /// Step 2. The order of labels has no meaning. Predictions of one service that are equal in all numbers are ordered
    /// by their emoji, those with one first: only one of them is kept, and chance must not decide which.
    private static func precedes(_ left: Candidate, _ right: Candidate, _ reading: Reading) -> Bool {
        if left.label != right.label { return left.label < right.label }
        if left.confidence != right.confidence { return left.confidence > right.confidence }
        if left.service != right.service { return left.service < right.service }
        if left.box.x != right.box.x { return left.box.x < right.box.x }
        if left.box.y != right.box.y { return left.box.y < right.box.y }
        if left.box.width != right.box.width { return left.box.width < right.box.width }
        if left.box.height != right.box.height { return left.box.height < right.box.height }
        guard let emoji = reading.normalizedEmoji(of: left) else { return false }
        guard let other = reading.normalizedEmoji(of: right) else { return true }
        return emoji.precedes(other)
    }

    /// Steps 3 and 4 for the boxes of one label. Only the boxes before it decide whether a box is a duplicate, so both
    /// steps are one pass.
    private mutating func gather(_ boxes: Range<Int>, _ options: MergingOptions, _ room: inout Room) {
        room.clear(for: candidates[boxes].lazy.map { Corners($0.box) })
        let oldest = clusters.count

        for index in boxes {
            let candidate = candidates[index]
            let corners = Corners(candidate.box)
            var isDuplicate = false
            room.kept.forEach(overlapping: corners, from: options.duplicateIoU) { other, _ in
                if room.keptServices[other] == candidate.service { isDuplicate = true }
            }
            if isDuplicate { continue }
            room.kept.append(corners)
            room.keptServices.append(candidate.service)

            var best: (object: Int, iou: Double)?
            room.objects.forEach(overlapping: corners, from: options.mergeIoU) { object, iou in
                if let best, iou < best.iou || (iou == best.iou && object > best.object) { return }
                if !holds(clusters[oldest + object], candidate.service) { best = (object, iou) }
            }
            if let best {
                next[Int(clusters[oldest + best.object].last)] = Int32(index)
                clusters[oldest + best.object].join(Int32(index), candidate)
                room.objects.move(best.object, to: clusters[oldest + best.object].fused)
            } else {
                clusters.append(Cluster(opening: Int32(index), candidate))
                room.objects.append(corners)
            }
        }
    }

    private func holds(_ cluster: Cluster, _ service: Int32) -> Bool {
        var member = cluster.first
        while member >= 0 {
            if candidates[Int(member)].service == service { return true }
            member = next[Int(member)]
        }
        return false
    }
}

/// Memory for gathering the boxes of one label. It is used again for the next label.
private struct Room {
    var kept = BoxSet()
    var keptServices: [Int32] = []
    var objects = BoxSet()

    mutating func clear(for expected: some Collection<Corners>) {
        kept.clear(for: expected)
        objects.clear(for: expected)
        keptServices.removeAll(keepingCapacity: true)
    }
}
