import Model
import Pipeline

extension PostgreSQLStore {
    /// Replaces the boxes of the images by what `fuse` makes of the newest results. A row that stays keeps its id.
    public func updateBoxes(
        of images: [ImageID], from services: [String], workerID: String,
        fuse: @Sendable @escaping ([StoredResult], [StoredBox]) -> BoxChanges
    ) async throws -> [ImageID: Int] {
        guard !images.isEmpty else { return [:] }
        let (ids, workerID) = (Locks.order(images), ColumnText.cut(workerID, to: ColumnText.name))
        let reading = [Locks.take(ids), ImageRows.successes(ids, of: services), ImageRows.boxes(ids)]
        var counts = try await primary.run { connection in
            try connection.transaction(.current, reading) { answers in
                let (results, boxes) = (ImageRows.results(answers[1]), ImageRows.boxes(answers[2]))
                var counts: [ImageID: Int] = [:]
                var writing = BoxWriting()
                for id in ids {
                    let present = boxes[id] ?? []
                    counts[id] = present.count
                    guard let results = results[id] else { continue }
                    let changes = fuse(results, present)
                    writing.add(changes, to: id)
                    let removed = Set(changes.removed).intersection(present.map(\.mergedID))
                    counts[id] = present.count + changes.inserted.count - removed.count
                }
                return (counts, writing.statements(workerID: workerID))
            }
        }
        for id in images where counts[id] == nil { counts[id] = 0 }
        return counts
    }
}

/// What a merge writes for all its images together.
struct BoxWriting {
    private var kept = BoxColumns()
    private var inserted = BoxColumns()
    private var removed: (images: [ImageID], ids: [Int]) = ([], [])

    mutating func add(_ changes: BoxChanges, to image: ImageID) {
        for row in changes.kept { kept.append(row.box, id: row.mergedID, image: image) }
        for box in changes.inserted { inserted.append(box, id: 0, image: image) }
        removed.images += changes.removed.map { _ in image }
        removed.ids += changes.removed
    }

    func statements(workerID: String) -> [Statement] {
        var statements: [Statement] = []
        if !kept.ids.isEmpty {
            // A row that would not change is not touched, so that its consensus stays fresh.
            statements.append(
                Statement(
                    """
                    UPDATE merged_boxes b SET merged_data = n.data, source_result_ids = n.sources::int[], status = 'success',
                        created = now(), worker_id = $5::text
                    FROM unnest($1::bigint[], $2::bigint[], $3::jsonb[], $4::text[]) AS n(merged_id, image_id, data, sources)
                    WHERE b.merged_id = n.merged_id AND b.image_id = n.image_id
                    AND (b.merged_data IS DISTINCT FROM n.data OR b.source_result_ids IS DISTINCT FROM n.sources::int[])
                    """, .integers(kept.ids), .integers(kept.images), .json(kept.data), .texts(kept.sources),
                    .text(workerID)))
        }
        if !inserted.ids.isEmpty {
            statements.append(
                Statement(
                    """
                    INSERT INTO merged_boxes (image_id, source_result_ids, merged_data, status, worker_id)
                    SELECT n.image_id, n.sources::int[], n.data, 'success', $4::text
                    FROM unnest($1::bigint[], $2::jsonb[], $3::text[]) AS n(image_id, data, sources)
                    """, .integers(inserted.images), .json(inserted.data), .texts(inserted.sources), .text(workerID)))
        }
        guard !removed.ids.isEmpty else { return statements }
        let keys = "SELECT * FROM unnest($1::bigint[], $2::bigint[])"
        // Another program's rows about a box stay, unless their foreign key would keep the box.
        let isHeld = """
            EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'f' AND conrelid = 'postprocessing'::regclass
                AND confrelid = 'merged_boxes'::regclass AND confdeltype IN ('a', 'r'))
            """
        return statements
            + [
                """
                DELETE FROM postprocessing WHERE (image_id, merged_box_id) IN (\(keys))
                AND (service IN ('face', 'pose', 'colors') OR \(isHeld))
                """,
                "DELETE FROM farm_missing_enrichments WHERE (image_id, merged_id) IN (\(keys))",
                "DELETE FROM merged_boxes WHERE (image_id, merged_id) IN (\(keys))",
            ].map { Statement($0, .integers(removed.images), .integers(removed.ids)) }
    }
}

/// Boxes as columns of arrays.
private struct BoxColumns {
    var ids: [Int] = []
    var images: [ImageID] = []
    var data: [[UInt8]] = []
    /// An array of arrays would lose its inner bounds, so each is the text of an array.
    var sources: [String] = []

    mutating func append(_ box: MergedBox, id: Int, image: ImageID) {
        ids.append(id)
        images.append(image)
        data.append(StorableJSON.mended(box.json))
        sources.append("{\(box.sourceResultIDs.map(String.init).joined(separator: ","))}")
    }
}
