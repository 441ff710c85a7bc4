import Foundation
import Servers
import Testing

/// A virtual host and databases of one test's own on the run's servers, and the .env that names them.
struct Site {
    let rabbitMQ: RabbitMQServer
    let postgreSQL: PostgreSQLServer
    let mariaDB: MariaDBServer
    let queue: RabbitMQServer.VirtualHost
    let store: PostgreSQLServer.Database
    let heartbeats: MariaDBServer.Database

    init() async throws {
        rabbitMQ = try .shared()
        postgreSQL = try .shared()
        mariaDB = try .shared()
        queue = try await rabbitMQ.virtualHost()
        store = try await postgreSQL.database()
        heartbeats = try await mariaDB.database()
    }

    /// The passwords that no output may hold.
    var secrets: [String] { [queue.password, store.password, heartbeats.password] }

    /// Writes the .env.
    /// - Parameter other: in place of the site's own variables; an empty value unsets one.
    func write(_ workplace: Workplace, tls: Bool = false, other: [String: String] = [:]) throws {
        let settings = [
            rabbitMQ.settings(queue, tls: tls), postgreSQL.settings(store, tls: tls),
            mariaDB.settings(heartbeats, tls: tls),
        ]
        let variables = settings.reduce(into: [:]) { $0.merge($1) { $1 } }.merging(other) { $1 }
        try workplace.write(".env", variables.sorted { $0.key < $1.key }.map { "\($0.key)='\($0.value)'\n" }.joined())
    }

    @discardableResult
    func query(_ sql: String) async throws -> [[String]] { try await postgreSQL.run(sql, in: store.name) }

    /// Messages that are ready or leased, in all queues.
    func messages() async throws -> Int? { try await sum("messages", "rabbit_amqqueue:list(<<\"\(queue.name)\">>)") }

    /// Messages that are leased, in all queues.
    func leased() async throws -> Int? {
        try await sum("messages_unacknowledged", "rabbit_amqqueue:list(<<\"\(queue.name)\">>)")
    }

    /// Messages that are ready in one queue; 0 where it is missing.
    func ready(in name: String) async throws -> Int {
        let resource = "rabbit_misc:r(<<\"\(queue.name)\">>, queue, <<\"\(name)\">>)"
        let found = "[Q || {ok, Q} <- [rabbit_amqqueue:lookup(\(resource))]]"
        return try #require(try await sum("messages_ready", found))
    }

    private func sum(_ item: String, _ queues: String) async throws -> Int? {
        let count = try await rabbitMQ.evaluate(
            "lists:sum([N || Q <- \(queues), {\(item), N} <- rabbit_amqqueue:info(Q, [\(item)])]).")
        return Int(count.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    func remove() async {
        await rabbitMQ.remove(queue)
        await postgreSQL.remove(store)
        await mariaDB.remove(heartbeats)
    }
}
