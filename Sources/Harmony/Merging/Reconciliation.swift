import Model

/// Pairs the stored boxes with the new ones (spec section 6, last paragraph): their labels must be equal and their IoU
/// at least `keepIoU`. The best IoU comes first; among equal ones, the smaller `merged_id`, and then the `cluster_id`
/// that comes first by Unicode scalars. A stored row that cannot be read as a box is removed. Kept and inserted boxes
/// are in the order of `fused`, removed ones in the order of `merged_id`.
/// by `merged_id`.
public func reconcile(stored: [StoredBox], fused: [MergedBox], keepIoU: Double) -> BoxChanges {
    var rowOfBox: [Int?] = Array(repeating: nil, count: fused.count)
    var taken: Set<Int> = []
    for pair in pairs(stored, fused, keepIoU) where rowOfBox[pair.box] == nil && !taken.contains(pair.row) {
        rowOfBox[pair.box] = pair.row
        taken.insert(pair.row)
    }
    var changes = BoxChanges()
    for (box, row) in zip(fused, rowOfBox) {
        if let row {
            changes.kept.append(BoxChanges.Kept(mergedID: stored[row].mergedID, box: box))
        } else {
            changes.inserted.append(box)
        }
    }
    assert(
        changes.kept.count + changes.inserted.count == fused.count, "each new box is kept in a row's place, or inserted"
    )
    assert(taken.count == changes.kept.count, "a row is kept for one box")
    changes.removed = stored.indices.filter { !taken.contains($0) }.map { stored[$0].mergedID }.sorted()
    return changes
}

/// The positions of a stored and a fused box that may be one object.
private struct Pair {
    var row: Int
    var box: Int
    var iou: Double
}

private func pairs(_ stored: [StoredBox], _ fused: [MergedBox], _ keepIoU: Double) -> [Pair] {
    let boxesOfLabel = Dictionary(grouping: fused.indices) { ExactText(fused[$0].label) }
    let sets = boxesOfLabel.mapValues { boxes in
        let corners = boxes.map { Corners(fused[$0].bbox) }
        var set = BoxSet(among: corners)
        for box in corners { set.append(box) }
        return set
    }
    var pairs: [Pair] = []
    for row in stored.indices {
        guard let old = stored[row].box, let boxes = boxesOfLabel[ExactText(old.label)],
            let set = sets[ExactText(old.label)]
        else { continue }
        set.forEach(overlapping: Corners(old.bbox), from: keepIoU) { number, iou in
            pairs.append(Pair(row: row, box: boxes[number], iou: iou))
        }
    }
    return pairs.sorted { left, right in
        if left.iou != right.iou { return left.iou > right.iou }
        if left.row != right.row { return stored[left.row].mergedID < stored[right.row].mergedID }
        return fused[left.box].clusterID.precedes(fused[right.box].clusterID)
    }
}
