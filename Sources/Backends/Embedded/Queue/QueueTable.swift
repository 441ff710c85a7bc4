import Foundation
import GRDB
import Model
import Pipeline

/// The statements of `farm_queue`. Each runs inside a transaction of the caller. Times are milliseconds since 1970.
enum QueueTable {
    /// A message that was just leased.
    struct Taken: Sendable {
        var id: Int64
        var dueAt: Int64
        var body: [UInt8]
        var headers: [String: String]
        var isRedelivered: Bool
    }

    /// Takes the oldest ready messages of a queue. The cost depends on how many are taken, and not on how many wait,
    /// are delayed or leased.
    static let takeSQL = """
        UPDATE farm_queue SET holder = ? WHERE id IN (
            SELECT id FROM farm_queue WHERE queue = ? AND holder IS NULL AND delayed = 0 ORDER BY due_at, id LIMIT ?)
        RETURNING id, due_at, body, headers, redelivered
        """

    /// Messages of one queue are inserted side by side, in their order. Then those that are taken together are on few
    /// pages, and each page is written when they are taken and when they are removed.
    static func insert(_ messages: [Message], at now: Int64, _ database: Database) throws {
        for message in messages.sorted(by: { $0.queue < $1.queue }) {
            try database.run(
                "INSERT INTO farm_queue (queue, body, headers, due_at) VALUES (?, ?, ?, ?)",
                [message.queue, Data(message.body), text(message.headers), now])
        }
    }

    /// Oldest first, since RETURNING promises no order.
    static func take(_ queue: String, limit: Int, holder: Int64, _ database: Database) throws -> [Taken] {
        try database.all(takeSQL, [holder, queue, limit]) { row in
            Taken(
                id: row[0], dueAt: row[1], body: row.bytes(2), headers: headers(row.text(3)),
                isRedelivered: row.integer(4) != 0)
        }
        .sorted { ($0.dueAt, $0.id) < ($1.dueAt, $1.id) }
    }

    static func remove(_ held: [Held], _ database: Database) throws {
        for held in held {
            try database.run("DELETE FROM farm_queue WHERE id = ? AND holder = ?", [held.message, held.holder])
        }
    }

    /// - Parameter dueAt: when they may be taken again. nil for at once, in their old place.
    static func giveBack(_ held: [Held], dueAt: Int64?, _ database: Database) throws {
        for held in held {
            try database.run(
                """
                UPDATE farm_queue SET holder = NULL, redelivered = 1, delayed = ?, due_at = coalesce(?, due_at)
                WHERE id = ? AND holder = ?
                """, [dueAt != nil, dueAt, held.message, held.holder])
        }
    }

    // MARK: What time makes ready

    /// Makes messages ready whose delay is over.
    static func releaseDue(at now: Int64, _ database: Database) throws {
        try database.run("UPDATE farm_queue SET delayed = 0 WHERE delayed = 1 AND due_at <= ?", [now])
    }

    /// Gives back everything that a holder has leased.
    static func releaseHeld(by holder: Int64, _ database: Database) throws {
        try database.run("UPDATE farm_queue SET holder = NULL, redelivered = 1 WHERE holder = ?", [holder])
    }

    /// Which of these queues have a message to take.
    static func ready(among queues: Set<String>, _ database: Database) throws -> Set<String> {
        try queues.filter { queue in
            try database.exists(
                "SELECT 1 FROM farm_queue WHERE queue = ? AND holder IS NULL AND delayed = 0 LIMIT 1", [queue])
        }
    }

    /// When the next delay ends.
    static func nextDue(_ database: Database) throws -> Int64? {
        try database.integer("SELECT min(due_at) FROM farm_queue WHERE delayed = 1").map(Int64.init)
    }

    // MARK: Passes

    /// The id of the newest message.
    static func newest(_ database: Database) throws -> Int64? {
        try database.integer("SELECT max(id) FROM farm_queue").map(Int64.init)
    }

    /// What can be taken, or what is delayed, oldest first.
    static func pageSQL(delayed: Bool) -> String {
        """
        SELECT id, due_at, body, headers, redelivered FROM farm_queue
        WHERE queue = ? AND holder IS NULL AND delayed = \(delayed ? 1 : 0) AND (due_at, id) > (?, ?) AND id <= ?
        ORDER BY due_at, id
        """
    }

    /// Removes a message that nobody has taken. After a message is gone, another one may have its id.
    static func remove(_ id: Int64, body: [UInt8], _ database: Database) throws -> Bool {
        try database.run(
            "DELETE FROM farm_queue WHERE id = ? AND holder IS NULL AND body = ?", [id, Data(body)]) > 0
    }

    /// Removes the oldest messages that wait or are delayed.
    /// - Returns: how many, at most `limit`.
    static func purge(_ queue: String, limit: Int, _ database: Database) throws -> Int {
        func purge(_ delayed: Int, _ limit: Int) throws -> Int {
            try database.run(
                """
                DELETE FROM farm_queue WHERE id IN (
                    SELECT id FROM farm_queue WHERE queue = ? AND holder IS NULL AND delayed = \(delayed)
                    ORDER BY due_at, id LIMIT ?)
                """, [queue, limit])
        }
        let ready = try purge(0, limit)
        return ready < limit ? ready + (try purge(1, limit - ready)) : ready
    }

    // MARK: Headers

    static func text(_ headers: [String: String]) -> String? {
        guard !headers.isEmpty else { return nil }
        let members = headers.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        return JSON.object(members).text
    }

    static func headers(_ text: String?) -> [String: String] {
        guard let text, let members = (try? JSON(parsing: text))?.objectValue else { return [:] }
        return Dictionary(members.map { ($0.key, $0.value.stringValue ?? $0.value.text) }) { _, last in last }
    }
}

/// A message that a holder has leased.
struct Held: Sendable, Hashable {
    var message: Int64
    var holder: Int64
}
