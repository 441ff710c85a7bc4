import Model
import Servers
import Testing

@Suite("The pipeline on RabbitMQ, PostgreSQL and MariaDB")
struct ServerTests {
    @Test("that .env names leaves every row there, and nothing in the queues", arguments: [false, true])
    func endToEnd(tls: Bool) async throws {
        let rabbitMQ = try RabbitMQServer.shared()
        let postgreSQL = try PostgreSQLServer.shared()
        let mariaDB = try MariaDBServer.shared()
        let queue = try await rabbitMQ.virtualHost()
        let store = try await postgreSQL.database()
        let heartbeats = try await mariaDB.database()

        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        let settings = [
            rabbitMQ.settings(queue, tls: tls), postgreSQL.settings(store, tls: tls),
            mariaDB.settings(heartbeats, tls: tls),
        ]
        try work.write(".env", settings.joined().map { "\($0.key)=\($0.value)\n" }.joined())
        try work.photos(["photos/1.jpg", "photos/2.jpg", "photos/3.jpg"])
        let imported = try await work.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        for secret in [queue.password, store.password, heartbeats.password] { #expect(!up.error.contains(secret)) }

        #expect(
            try await postgreSQL.run("SELECT status, count(*) FROM results GROUP BY 1", in: store.name)
                == [["success", "\(3 * Scene.primary)"]])
        #expect(try await postgreSQL.run("SELECT count(*) FROM consensus", in: store.name) == [["3"]])
        let root = try await mariaDB.connect(heartbeats)
        #expect(
            try await root.run("SELECT DISTINCT status FROM worker_heartbeats ORDER BY status")
                == [["alive"], ["starting"], ["stopping"]])
        let messages = try await rabbitMQ.evaluate(
            """
            lists:sum([N || Q <- rabbit_amqqueue:list(<<"\(queue.name)">>),
                {messages, N} <- rabbit_amqqueue:info(Q, [messages])]).
            """)
        #expect(messages == "0\n")

        try await scene.doubles.stop()
        await rabbitMQ.remove(queue)
        await postgreSQL.remove(store)
        await mariaDB.remove(heartbeats)
    }
}
