import Foundation
import Servers

/// A virtual host and databases of one measurement's own on the servers that `make bench` starts.
struct Site {
    let rabbitMQ: RabbitMQServer
    let postgreSQL: PostgreSQLServer
    let queue: RabbitMQServer.VirtualHost
    let store: PostgreSQLServer.Database
    private let mariaDB: MariaDBServer
    private let heartbeats: MariaDBServer.Database

    /// - Parameter postgreSQL: another server than that of all.
    /// - Throws: `ServerFailure`.
    init(postgreSQL own: PostgreSQLServer? = nil) async throws {
        rabbitMQ = try .shared()
        postgreSQL = try own ?? .shared()
        mariaDB = try .shared()
        queue = try await rabbitMQ.virtualHost()
        store = try await postgreSQL.database()
        heartbeats = try await mariaDB.database()
    }

    /// The variables that choose them.
    var settings: [String: String] {
        [rabbitMQ.settings(queue), postgreSQL.settings(store), mariaDB.settings(heartbeats)]
            .reduce(into: [:]) { $0.merge($1) { $1 } }
    }

    func number(_ sql: String) async throws -> Double {
        Double(try await postgreSQL.run(sql, in: store.name).first?.first ?? "") ?? 0
    }

    /// Messages that are ready or leased, in all queues.
    func messages() async throws -> Double { try await total("messages") }

    /// Consumers of all queues.
    func consumers() async throws -> Double { try await total("consumers") }

    /// The sum of what the queues tell of themselves under that name.
    private func total(_ what: String) async throws -> Double {
        let count = try await rabbitMQ.evaluate(
            """
            lists:sum([N || Q <- rabbit_amqqueue:list(<<"\(queue.name)">>),
                {\(what), N} <- rabbit_amqqueue:info(Q, [\(what)])]).
            """)
        return Double(count.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    func remove() async {
        await rabbitMQ.remove(queue)
        await postgreSQL.remove(store)
        await mariaDB.remove(heartbeats)
    }
}

/// Waits, by looking again and again, until a number satisfies the condition.
/// - Throws: `BenchFault` after that many seconds.
func wait(
    for what: String, within seconds: Double = 900, _ number: () async throws -> Double,
    until isReached: (Double) -> Bool
) async throws {
    let end = Clock.wall + seconds
    while true {
        let now = try await number()
        if isReached(now) { return }
        guard Clock.wall < end else { throw BenchFault("after \(seconds) s: \(what) is \(now)") }
        // Seldom, since asking takes the servers' time; broker and database tell of no end.
        usleep(200_000)
    }
}
