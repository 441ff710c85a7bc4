import Foundation
import GRDB
import Model
import Pipeline

/// The statements of `farm_dead`. Each runs inside a transaction of the caller.
enum DeadTable {
    /// Moves messages out of the queue. A message that is not leased as given stays where it is.
    static func bury(_ dead: [(held: Held, letter: DeadLetter)], at now: Date, _ database: Database) throws {
        for (held, letter) in dead {
            let found = try database.first(
                "SELECT queue, body, headers FROM farm_queue WHERE id = ? AND holder = ?", [held.message, held.holder]
            ) { ($0.text(0) ?? "", $0.bytes(1), $0.text(2)) }
            guard let (queue, body, headers) = found else { continue }
            try QueueTable.remove([held], database)
            try insert(letter, queue: queue, body: body, headers: headers, at: now, database)
        }
    }

    // MARK: Passes

    /// The id of a queue's newest dead letter.
    static func newest(_ queue: String, _ database: Database) throws -> Int64? {
        try database.integer("SELECT max(id) FROM farm_dead WHERE queue = ?", [queue]).map(Int64.init)
    }

    static let pageSQL = """
        SELECT id, body, headers, reason, message, tries, worker_id, first_failure, dead_since FROM farm_dead
        WHERE queue = ? AND id > ? AND id <= ? ORDER BY id
        """

    /// What is known about its death, as headers.
    static func headers(_ row: Row, of queue: String) -> [String: String] {
        let own = [
            FarmHeader.reason: row.text(3), FarmHeader.message: row.text(4),
            FarmHeader.tries: row.integer(5).map(String.init), FarmHeader.worker: row.text(6),
            FarmHeader.firstFailure: row.time(7).map(Timestamp.iso8601), FarmHeader.queue: queue,
            FarmHeader.deadSince: row.time(8).map(Timestamp.iso8601),
        ]
        return QueueTable.headers(row.text(2)).merging(own.compactMapValues { $0 }) { _, new in new }
    }

    static func remove(_ id: Int64, _ database: Database) throws -> Bool {
        try database.run("DELETE FROM farm_dead WHERE id = ?", [id]) > 0
    }

    // MARK: Burying

    private static func insert(
        _ letter: DeadLetter, queue: String, body: [UInt8], headers: String?, at now: Date, _ database: Database
    ) throws {
        let json = try? JSON(parsing: body)
        let jobID = json?["job_id"]?.stringValue.flatMap(UUID.init(uuidString:))
        try database.run(
            """
            INSERT INTO farm_dead (queue, body, headers, reason, message, tries, worker_id, first_failure, dead_since,
                image_id, job_id, service)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                queue, Data(body), headers, letter.reason, letter.message, letter.tries, letter.workerID,
                StoredTime.text(letter.firstFailure), StoredTime.text(now), json?["image_id"]?.integerValue,
                jobID?.text,
                (json?["service_name"] ?? json?["service"])?.stringValue,
            ])
        if let job = try? Job(body: body, queue: queue, service: "") {
            try database.run("DELETE FROM farm_begun WHERE job_id = ?", [job.jobID.text])
        }
    }
}
