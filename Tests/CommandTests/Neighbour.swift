import Foundation
import Model
import Testing

/// Another program on the servers of a workplace's `.env`, one that knows nothing of farm: Doubles/neighbour.py.
struct Neighbour {
    let workplace: Workplace

    func start(_ arguments: String...) throws -> Running { try start(arguments) }

    private func start(_ arguments: [String]) throws -> Running {
        let python =
            ProcessInfo.processInfo.environment["FARM_TEST_PYTHON"]
            ?? Program.root.appending(path: ".build-python/bin/python3").path
        let script = Program.root.appending(path: "Tests/CommandTests/Doubles/neighbour.py").path
        return try Running(
            URL(fileURLWithPath: python), [script] + arguments, in: workplace.folder,
            ["PATH": "/usr/bin:/bin", "HOME": workplace.folder.path])
    }

    private func run(_ arguments: String...) async throws -> Finished {
        let finished = try await start(arguments).finished()
        try #require(finished.status == 0, "\(finished.error)")
        return finished
    }

    func run(sql: String) async throws {
        try workplace.write("neighbour.sql", sql)
        _ = try await run("sql", "neighbour.sql")
    }

    /// Publishes messages, in their order.
    func publish(_ messages: [(queue: String, body: String)]) async throws {
        try workplace.write("messages", messages.map { "\($0.queue) \($0.body)\n" }.joined())
        _ = try await run("publish", "messages")
    }

    /// Publishes a message that another queue gets, too.
    func share(_ body: String, queue: String, other: String) async throws {
        _ = try await run("share", queue, other, body)
    }

    /// Takes a queue's messages.
    func take(from queue: String) async throws -> [JSON] {
        try await run("take", queue).output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    /// Sends a job with all properties and headers of all types.
    func decorate(_ queue: String) async throws { _ = try await run("decorate", queue) }

    /// Takes a queue's messages with all that comes with them.
    func look(at queue: String) async throws -> [JSON] {
        try await run("look", queue).output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    /// How many rows it finds in the tables, and of which types the values are.
    func read() async throws -> JSON { try await run("read").json() }
}
