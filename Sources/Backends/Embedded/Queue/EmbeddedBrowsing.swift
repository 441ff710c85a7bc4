import GRDB
import Pipeline
import Synchronization

/// Messages of the file that a pass can read.
protocol LyingMessages: Sendable {
    /// The end of a page.
    associatedtype Place: Sendable
    /// Identifies a message, to remove it.
    associatedtype Lying: Sendable

    var start: Place { get }

    /// The next messages, at most `limit` and hardly more than `bytes` bytes, each with the number for its receipt.
    /// None at the end.
    func page(
        after place: Place, limit: Int, bytes: Int, _ database: Database
    ) throws -> (messages: [(lying: Lying, delivery: Delivery)], end: Place)

    /// - Returns: whether it was still there.
    func remove(_ lying: Lying, _ database: Database) throws -> Bool
}

/// A pass through the messages of one queue in the file, page by page. It takes nothing. A message that somebody else
/// has taken or removed meanwhile is noticed when it is to be removed.
final class EmbeddedBrowsing<Messages: LyingMessages>: QueueBrowsing {
    private struct State {
        var place: Messages.Place
        var page: [Int64: Messages.Lying] = [:]
    }

    private let messages: Messages
    private let hub: ConsumerHub
    private let state: Mutex<State>

    init(_ messages: Messages, hub: ConsumerHub) {
        self.messages = messages
        self.hub = hub
        state = Mutex(State(place: messages.start))
    }

    private var limit: Int { 500 }
    private var bytes: Int { 8 << 20 }

    func next() async throws -> [Delivery] {
        let (messages, limit, bytes) = (messages, limit, bytes)
        let place = state.withLock { $0.place }
        let page = try await hub.file.read { try messages.page(after: place, limit: limit, bytes: bytes, $0) }
        state.withLock { state in
            state.place = page.end
            state.page = Dictionary(page.messages.map { ($0.delivery.receipt.tag, $0.lying) }) { first, _ in first }
        }
        return page.messages.map(\.delivery)
    }

    func remove(_ receipts: [Receipt]) async throws -> Int {
        let lying = state.withLock { state in receipts.compactMap { state.page[$0.tag] } }
        guard !lying.isEmpty else { return 0 }
        return try await hub.file.write { [messages] database in
            try lying.count { try messages.remove($0, database) }
        }
    }

    /// One transaction, so there is no moment at which both exist, or none.
    func replace(_ replacements: [(receipt: Receipt, message: Message)]) async throws -> Int {
        let pairs = state.withLock { state in
            replacements.compactMap { receipt, message in state.page[receipt.tag].map { ($0, message) } }
        }
        guard !pairs.isEmpty else { return 0 }
        let now = StoredTime.milliseconds(hub.time.now())
        let count = try await hub.file.write(announced: true) { [messages] database in
            try pairs.count { lying, message in
                guard try messages.remove(lying, database) else { return false }
                try QueueTable.insert([message], at: now, database)
                return true
            }
        }
        hub.announce(Set(pairs.map(\.1.queue)), dueAt: nil)
        return count
    }

    /// The id.
    func place(after receipt: Receipt) -> Int64 { receipt.tag }

    func close() async throws {}
}

/// The dead letters of a queue that existed at the beginning.
struct DeadMessages: LyingMessages {
    let queue: String
    /// The id after which they begin.
    let start: Int64
    /// The id of the newest one.
    let newest: Int64

    func page(
        after place: Int64, limit: Int, bytes: Int, _ database: Database
    ) throws -> (messages: [(lying: Int64, delivery: Delivery)], end: Int64) {
        var end = place
        let messages = try database.page(DeadTable.pageSQL, [queue, place, newest], limit: limit, bytes: bytes) { row in
            let (id, body): (Int64, [UInt8]) = (row[0], row.bytes(1))
            end = id
            let delivery = Delivery(
                body: body, headers: DeadTable.headers(row, of: queue), redelivered: false,
                receipt: Receipt(epoch: 0, tag: id))
            return ((id, delivery), body.count)
        }
        return (messages, end)
    }

    func remove(_ lying: Int64, _ database: Database) throws -> Bool { try DeadTable.remove(lying, database) }
}

/// The delayed messages of a queue, and then those that can be taken, if they existed at the beginning. The order is
/// important, since time turns delayed messages into ready ones.
struct WaitingMessages: LyingMessages {
    struct Place {
        var isDelayed = true
        var dueAt = Int64.min
        var id = Int64.min
    }

    struct Lying {
        var id: Int64
        var body: [UInt8]
    }

    let queue: String
    /// The id of the newest message of all queues.
    let newest: Int64

    var start: Place { Place() }

    func page(
        after place: Place, limit: Int, bytes: Int, _ database: Database
    ) throws -> (messages: [(lying: Lying, delivery: Delivery)], end: Place) {
        var end = place
        let messages = try database.page(
            QueueTable.pageSQL(delayed: place.isDelayed), [queue, place.dueAt, place.id, newest], limit: limit,
            bytes: bytes
        ) { row in
            let lying = Lying(id: row[0], body: row.bytes(2))
            (end.dueAt, end.id) = (row[1], lying.id)
            let delivery = Delivery(
                body: lying.body, headers: QueueTable.headers(row.text(3)), redelivered: row.integer(4) != 0,
                receipt: Receipt(epoch: 0, tag: lying.id))
            return ((lying, delivery), lying.body.count)
        }
        guard messages.isEmpty, place.isDelayed else { return (messages, end) }
        return try page(after: Place(isDelayed: false), limit: limit, bytes: bytes, database)
    }

    func remove(_ lying: Lying, _ database: Database) throws -> Bool {
        try QueueTable.remove(lying.id, body: lying.body, database)
    }
}

extension Database {
    /// The first rows of a statement, at most `limit` and hardly more than `bytes` bytes.
    fileprivate func page<Value>(
        _ sql: String, _ arguments: StatementArguments, limit: Int, bytes: Int,
        _ value: (Row) throws -> (value: Value, bytes: Int)
    ) throws -> [Value] {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        var (values, sum): ([Value], Int) = ([], 0)
        while values.count < limit, sum < bytes, let row = try rows.next() {
            let (value, count) = try value(row)
            values.append(value)
            sum += count
        }
        return values
    }
}
