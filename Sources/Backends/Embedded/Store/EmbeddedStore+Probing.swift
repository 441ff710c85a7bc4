import Foundation
import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// Writes a plain row as roles do, and rolls it back. Without any image no job can be done, so nothing is tried.
    public func probe(_ row: PlainRow, of image: ImageID?) async throws {
        let (now, run, place) = (now, run, file.place)
        try await file.onWriter { database in
            do {
                try database.inTrial {
                    guard let image = try EmbeddedStore.imageForProbing(image, database) else { return }
                    switch row {
                    case .result(let service, let workerID):
                        let row = PlainValues.result(image, service: service, workerID: workerID)
                        let job = JobKey(imageID: image, jobID: row.jobID, redelivered: true)
                        _ = try EmbeddedStore.standing(of: [job], workerID: workerID, run: run, now: now, database)
                        guard try EmbeddedStore.insert([row], now: now, database).isEmpty else {
                            throw PortFault(
                                .refused, place: place,
                                message: "results took a row and did not keep it: a trigger drops what is inserted")
                        }
                    case .box(let workerID):
                        let changes = BoxChanges(
                            kept: [BoxChanges.Kept(mergedID: 0, box: PlainValues.mergedBox)], removed: [0],
                            inserted: [PlainValues.mergedBox])
                        _ = try BoxTable(database: database, image: image, workerID: workerID, now: now).apply(changes)
                    case .enrichment: try EmbeddedStore.probeEnrichment(now: now, database)
                    case .consensus: try EmbeddedStore.replace(image, PlainValues.consensusRecord, now: now, database)
                    }
                }
            } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
                // Another row is in the way, because of another program's index. That is no fault of the file.
            }
        }
    }

    private static func imageForProbing(_ image: ImageID?, _ database: Database) throws -> ImageID? {
        if let image, try ImageRows(database).image(image) != nil { return image }
        return try database.integer("SELECT max(image_id) FROM images")
    }

    /// For the newest box. Without a box there is nothing to enrich.
    private static func probeEnrichment(now: String, _ database: Database) throws {
        let newest = try database.first("SELECT image_id, merged_id FROM merged_boxes ORDER BY merged_id DESC LIMIT 1")
        {
            ($0.integer(0), $0.integer(1))
        }
        guard case (let image?, let box?)? = newest else { return }
        let row = PlainValues.enrichment(image, of: box)
        try database.run(
            "DELETE FROM postprocessing WHERE image_id = ? AND merged_box_id = ? AND service = ?",
            [image, box, row.service])
        try note(MissingEnrichment(imageID: image, mergedID: box, service: row.service), database)
        try upsert(row, now, database)
    }
}
