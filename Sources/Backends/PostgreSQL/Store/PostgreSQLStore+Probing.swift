import Foundation
import Model
import Pipeline

extension PostgreSQLStore {
    /// Writes a plain row with the statements of the roles, and rolls it back. Without any image no job can be done, so
    /// nothing is tried.
    public func probe(_ row: PlainRow, of image: ImageID?) async throws {
        let (run, place) = (runID, place)
        try await primary.run { try RowProbe(connection: $0, run: run, place: place).probe(row, of: image) }
    }
}

/// Finds out whether a server takes a plain row.
struct RowProbe {
    let connection: PostgreSQLConnection
    let run: UUID
    let place: String

    /// Each probe uses up an id of the table's sequence, which PostgreSQL does not roll back.
    /// - Throws: `PostgreSQLFault`, `PortFault`.
    func probe(_ row: PlainRow, of image: ImageID?) throws {
        do {
            switch row {
            case .result(let service, let workerID):
                try insertResult(PlainValues.result(0, service: service, workerID: workerID), of: image)
            case .box(let workerID):
                try trial(of: image) { image in
                    var writing = BoxWriting()
                    writing.add(
                        BoxChanges(
                            kept: [BoxChanges.Kept(mergedID: 0, box: PlainValues.mergedBox)], removed: [0],
                            inserted: [PlainValues.mergedBox]), to: image)
                    return [ImageRows.successes([image], of: []), ImageRows.boxes([image])]
                        + writing.statements(workerID: workerID)
                }
            case .enrichment: try insertEnrichment()
            case .consensus:
                try trial(of: image) { image in
                    PostgreSQLStore.unmarking([image]) + ImageRows.findings([image], reading: .predictions)
                        + PostgreSQLStore.replacing([image], [(image, PlainValues.consensusRecord)])
                }
            }
        } catch let fault as PostgreSQLFault where fault.state == "23505" {
            // If an id is in use already, the sequence lags behind, and its next id would be in use too.
            guard try !stopsAtAnotherRow(fault) else { return }
            throw fault
        }
    }

    @discardableResult
    private func trial(of image: ImageID?, _ writing: (ImageID) -> [Statement]) throws -> [Rows] {
        let choice = Statement(
            """
            SELECT coalesce((SELECT image_id FROM images WHERE image_id = $1::bigint), (SELECT max(image_id) FROM images))
            """, .integer(image ?? 0))
        return try connection.trial([choice]) { answers in answers[0].first?.integer(0).map(writing) ?? [] }
    }

    private func insertResult(_ result: AnalysisResult, of image: ImageID?) throws {
        let answers = try trial(of: image) { image in
            var row = result
            row.imageID = image
            // Not the job of the row, since a job with a row is not noted as begun.
            let job = JobKey(imageID: image, jobID: UUID(), redelivered: true)
            let standing = PostgreSQLStore.standing(of: [job], workerID: row.workerID, run: run)
            return PostgreSQLStore.recording([row]) + [standing.asking] + [standing.noting].compactMap { $0 }
        }
        guard let inserted = answers.first, inserted.count == 0 else { return }
        throw PortFault(
            .refused, place: place,
            message: "results took a row and did not keep it: a trigger or rule drops what is inserted")
    }

    /// For the newest box. Without a box there is nothing to enrich.
    private func insertEnrichment() throws {
        let newest = Statement("SELECT image_id, merged_id FROM merged_boxes ORDER BY merged_id DESC LIMIT 1")
        _ = try connection.trial([newest]) { answers in
            guard let found = answers[0].first, let image = found.integer(0), let box = found.integer(1) else {
                return []
            }
            let row = PlainValues.enrichment(image, of: box)
            let key = MissingEnrichment(imageID: image, mergedID: box, service: row.service)
            let clearing = Statement(
                """
                DELETE FROM postprocessing WHERE image_id = $1::bigint AND merged_box_id = $2::bigint
                AND service = $3::text
                """, .integer(image), .integer(box), .text(row.service))
            return [Locks.take([image])] + PostgreSQLStore.clearing([image], boxes: [box]) + [clearing]
                + PostgreSQLStore.notes([key]) + PostgreSQLStore.upserts([row])
        }
    }

    /// Whether it is a unique index that contains no id from the server. Then another row is in the way, because of
    /// another program's index, and that is no fault of the server.
    private func stopsAtAnotherRow(_ fault: PostgreSQLFault) throws -> Bool {
        let ids = ["result_id", "merged_id", "postprocessing_id", "consensus_id"]
        let question = Statement(
            """
            SELECT NOT bool_or(a.attname = ANY($2::text[])) FROM pg_index x
            JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY(x.indkey)
            WHERE x.indexrelid = to_regclass(quote_ident($1::text))
            """, .text(fault.constraint ?? ""), .texts(ids))
        return try connection.run([question])[0].first?.flag(0) ?? false
    }
}
