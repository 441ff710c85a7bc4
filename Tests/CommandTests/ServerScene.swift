import Foundation
import Model
import Servers
import Testing

/// A workplace whose `.env` names a virtual host, a database and a monitoring database of one test's own, with doubles of
/// services and another program (Doubles/neighbour.py) on the same servers.
struct ServerScene {
    let workplace: Workplace
    let doubles: ServiceDoubles
    private let broker: RabbitMQServer
    private let host: RabbitMQServer.VirtualHost
    private let server: PostgreSQLServer
    private let database: PostgreSQLServer.Database
    private let monitoringServer: MariaDBServer
    private let monitoring: MariaDBServer.Database

    /// The database is empty; the monitoring database has its table.
    /// - Parameter gate: the services answer only once the file `gate` is away.
    init(_ services: [String] = Scene.services, gate: Bool = false) async throws {
        workplace = try Workplace()
        if gate { try workplace.write("gate", "") }
        doubles = try await ServiceDoubles.start(services, gate: "gate", in: workplace)
        try workplace.configure(doubles.ports)
        broker = try .shared()
        host = try await broker.virtualHost()
        server = try .shared()
        database = try await server.database()
        monitoringServer = try .shared()
        monitoring = try await monitoringServer.database()
        var settings = Scene.impatient.merging(broker.settings(host)) { $1 }.merging(server.settings(database)) { $1 }
            .merging(monitoringServer.settings(monitoring)) { $1 }
        // To the other program's driver "localhost" is a Unix socket.
        settings["MONITORING_DB_HOST"] = "127.0.0.1"
        try workplace.write(".env", settings.map { "\($0.key)=\($0.value)\n" }.joined())
    }

    func openGate() throws { try FileManager.default.removeItem(atPath: workplace.path("gate")) }

    // MARK: The database

    /// The rows of a query, as the administrator.
    func rows(_ sql: String) async throws -> [[String]] { try await server.run(sql, in: database.name) }

    func count(_ sql: String) async throws -> Int {
        try #require(try await rows(sql).first?.first.flatMap { Int($0) })
    }

    // MARK: The other program

    /// Starts it.
    func startNeighbour(_ arguments: String...) throws -> Running {
        let python =
            ProcessInfo.processInfo.environment["FARM_TEST_PYTHON"]
            ?? Program.root.appending(path: ".build-python/bin/python3").path
        let script = Program.root.appending(path: "Tests/CommandTests/Doubles/neighbour.py").path
        return try Running(
            URL(fileURLWithPath: python), [script] + arguments, in: workplace.folder,
            ["PATH": "/usr/bin:/bin", "HOME": workplace.folder.path])
    }

    /// Runs SQL with its connection.
    func neighbour(sql: String) async throws {
        try workplace.write("neighbour.sql", sql)
        let finished = try await startNeighbour("sql", "neighbour.sql").finished()
        try #require(finished.status == 0, "\(finished.error)")
    }

    /// Publishes messages, in their order.
    func neighbour(publishes messages: [(queue: String, body: String)]) async throws {
        try workplace.write("messages", messages.map { "\($0.queue) \($0.body)\n" }.joined())
        let finished = try await startNeighbour("publish", "messages").finished()
        try #require(finished.status == 0, "\(finished.error)")
    }

    /// The lines of JSON that a command of it prints.
    func neighbour(_ command: String, _ name: String? = nil) async throws -> [JSON] {
        let running = try name.map { try startNeighbour(command, $0) } ?? startNeighbour(command)
        let finished = try await running.finished()
        try #require(finished.status == 0, "\(finished.error)")
        return try finished.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    /// Ends the doubles and removes what is on the servers.
    func close() async throws {
        try await doubles.stop()
        await broker.remove(host)
        await server.remove(database)
        await monitoringServer.remove(monitoring)
    }
}
