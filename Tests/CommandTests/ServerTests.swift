import Foundation
import Model
import Servers
import Testing

@Suite("The pipeline on RabbitMQ, PostgreSQL and MariaDB")
struct ServerTests {
    @Test("that .env names leaves every row there, and nothing in the queues", arguments: [false, true])
    func endToEnd(tls: Bool) async throws {
        let site = try await Site()
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try site.write(work, tls: tls)
        try work.photos(["photos/1.jpg", "photos/2.jpg", "photos/3.jpg"])
        let imported = try await work.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")

        #expect(
            try await site.query("SELECT status, count(*) FROM results GROUP BY 1")
                == [["success", "\(3 * Scene.primary)"]])
        #expect(try await site.query("SELECT count(*) FROM consensus") == [["3"]])
        let root = try await site.mariaDB.connect(site.heartbeats)
        #expect(
            try await root.run("SELECT DISTINCT status FROM worker_heartbeats ORDER BY status")
                == [["alive"], ["starting"], ["stopping"]])
        #expect(try await site.messages() == 0)
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("that is reached through PgBouncer in transaction mode leaves every row there")
    func pooler() async throws {
        let site = try await Site()
        let pooler = try PgBouncerServer.shared()
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try site.write(work, other: pooler.settings(site.store))
        try work.photos((1...10).map { "photos/\($0).jpg" })
        let imported = try await work.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(
            try await site.query("SELECT status, count(*) FROM results GROUP BY 1")
                == [["success", "\(10 * Scene.primary)"]])
        #expect(try await site.query("SELECT count(*) FROM consensus") == [["10"]])
        #expect(try await site.messages() == 0)
        let check = try await work.farm("check")
        #expect(check.status == 0, "\(check.output)")
        #expect(check.output.contains("through a pooler in transaction mode"))
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("produce --wait knows when jobs in another process's hands have their rows")
    func waiting() async throws {
        let site = try await Site()
        let scene = try await Scene(["clip", "yolov8", "colors", "face", "pose"], photos: 0, gate: true)
        try site.write(scene.workplace)
        try scene.workplace.photos(["photos/1.jpg", "photos/2.jpg"])
        let imported = try await scene.workplace.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        let up = try scene.workplace.start(["up"], environment: Scene.impatient)
        let produce = try Running(
            URL(fileURLWithPath: "/bin/sh"),
            ["-c", "exec script -qec '\(Program.url.path) produce --wait' /dev/null"], in: scene.workplace.folder,
            ["PATH": "/usr/bin:/bin", "HOME": scene.workplace.folder.path, "TERM": "xterm"])
        // All jobs are with the services now, so the broker counts none that waits.
        try await eventually("the jobs are taken") {
            try await site.messages() == 6 && produce.output.contains("submitted")
        }
        // The workers have them, nothing is done yet: that all is must not be said.
        try await eventually("progress is shown") { produce.output.contains("jobs done: 5 of 6") }
        #expect(!produce.output.contains(/jobs done: (0 of 0|6 of 6)/), "\(produce.output)")
        #expect(produce.isRunning)
        try scene.openGate()
        let waited = try await produce.finished()
        #expect(waited.status == 0, "\(waited.output)\(waited.error)")
        #expect(try await site.query("SELECT count(*) FROM results") == [["6"]])
        #expect(try await site.query("SELECT count(*) FROM consensus") == [["2"]])
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("produce --wait on a broker, too, ends soon when jobs were purged that nobody can have taken")
    func purged() async throws {
        let site = try await Site()
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        try site.write(work)
        try work.photos(["photos/1.jpg", "photos/2.jpg"])
        let imported = try await work.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        let produce = try work.start(["produce", "--wait"])
        try await eventually("the jobs are there") { try await site.messages() == 2 }
        let purge = try await work.farm("purge", "--all", "--yes")
        #expect(purge.status == 0, "\(purge.error)")
        let waited = try await produce.finished()
        #expect(waited.status == 1)
        #expect(waited.error.contains("2 images without a row of clip"), "\(waited.error)")
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("status and show ask DB_READ_HOST alone, and a role that writes needs DB_HOST")
    func replica() async throws {
        let site = try await Site()
        let scene = try await Scene(["clip"], photos: 0)
        try site.write(scene.workplace)
        try scene.workplace.photos(["photos/1.jpg"])
        try #require(try await scene.workplace.farm("import", "photos").status == 0)
        // Nobody listens there.
        try site.write(scene.workplace, other: ["DB_HOST": "127.0.0.3", "DB_READ_HOST": site.postgreSQL.host])
        let status = try await scene.workplace.farm("status", "--json")
        #expect(status.status == 0, "\(status.error)")
        #expect(try status.json()["totals"]?["images"]?.integerValue == 1)
        let show = try await scene.workplace.farm("show", "1.jpg")
        #expect(show.status == 0, "\(show.error)")
        let produce = try await scene.workplace.farm("produce")
        #expect(produce.status == 1)
        #expect(produce.error.contains("127.0.0.3"))
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("roles wait for servers that are not there yet, and say so once; commands fail at once")
    func absence() async throws {
        let site = try await Site()
        let broker = try await RabbitMQServer.started()
        try await broker.stop()
        let scene = try await Scene(["clip"], photos: 0)
        let there = [
            "QUEUE_PORT": "\(broker.port)", "QUEUE_VHOST": "/", "QUEUE_USER": "guest", "QUEUE_PASSWORD": "guest",
        ]
        try site.write(scene.workplace, other: there)
        let status = try await scene.workplace.farm("status")
        #expect(status.status == 1)
        #expect(status.error.contains("localhost:\(broker.port)"))

        let up = try scene.workplace.start(["up"], environment: Scene.impatient)
        try await eventually("it waits") { up.error.contains("waiting for it: localhost:\(broker.port)") }
        try await broker.start()
        try await eventually("it goes on") { up.error.contains("worker clip") }
        #expect(up.error.occurrences(of: "waiting for it") == 1)
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)

        try await broker.stop()
        let waiting = try scene.workplace.start(["up"])
        try await eventually("it waits again") { waiting.error.contains("waiting for it") }
        waiting.signal(SIGINT)
        #expect(try await waiting.finished().status == 130)
        try await scene.doubles.stop()
        await broker.remove()
        await site.remove()
    }
}
