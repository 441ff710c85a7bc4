import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// Replaces the boxes of the images by what `fuse` makes of the newest results. A row that stays keeps its id.
    public func updateBoxes(
        of images: [ImageID], from services: [String], workerID: String,
        fuse: @Sendable @escaping ([StoredResult], [StoredBox]) -> BoxChanges
    ) async throws -> [ImageID: Int] {
        let (now, workerID) = (now, ColumnText.cut(workerID, to: ColumnText.name))
        return try await file.write { database in
            let rows = ImageRows(database)
            var counts: [ImageID: Int] = [:]
            for image in Set(images).sorted() {
                let boxes = try rows.boxes(image)
                counts[image] = boxes.count
                let results = try rows.successes(image, of: services)
                guard !results.isEmpty else { continue }
                let table = BoxTable(database: database, image: image, workerID: workerID, now: now)
                counts[image] = boxes.count + (try table.apply(fuse(results, boxes)))
            }
            return counts
        }
    }
}

/// The statements of `merged_boxes` for one image.
struct BoxTable {
    let database: Database
    let image: ImageID
    let workerID: String
    let now: String

    /// Inserts before it deletes. Otherwise, in another program's table without AUTOINCREMENT, a new box could get the
    /// id of a deleted one.
    /// - Returns: by how much the number of rows has grown.
    func apply(_ changes: BoxChanges) throws -> Int {
        for kept in changes.kept { try update(kept) }
        for box in changes.inserted { try insert(box) }
        let removed = try changes.removed.reduce(0) { try $0 + remove($1) }
        return changes.inserted.count - removed
    }

    /// A row that would not change is not touched, so that its consensus stays fresh.
    private func update(_ kept: BoxChanges.Kept) throws {
        let (data, sources) = texts(kept.box)
        try database.run(
            """
            UPDATE merged_boxes SET merged_data = ?1, source_result_ids = ?2, status = 'success', created = ?3, worker_id = ?4
            WHERE merged_id = ?5 AND image_id = ?6 AND (merged_data IS NOT ?1 OR source_result_ids IS NOT ?2)
            """, [data, sources, now, workerID, kept.mergedID, image])
    }

    private func insert(_ box: MergedBox) throws {
        let (data, sources) = texts(box)
        try database.run(
            """
            INSERT INTO merged_boxes (image_id, source_result_ids, merged_data, status, created, worker_id)
            VALUES (?, ?, ?, 'success', ?, ?)
            """, [image, sources, data, now, workerID])
    }

    private func remove(_ box: Int) throws -> Int {
        // Another program's rows about the box stay.
        try database.run(
            """
            DELETE FROM postprocessing WHERE image_id = ? AND merged_box_id = ? AND service IN ('face', 'pose', 'colors')
            """, [image, box])
        try database.run("DELETE FROM farm_missing_enrichments WHERE image_id = ? AND merged_id = ?", [image, box])
        return try database.run("DELETE FROM merged_boxes WHERE merged_id = ? AND image_id = ?", [box, image])
    }

    private func texts(_ box: MergedBox) -> (data: String, sources: String) {
        (box.json.text, SQLiteValues.list(box.sourceResultIDs))
    }
}
