import Foundation
import Model
import Servers
import Testing

@Suite("farm status, where a server is away")
struct StatusHalvesTests {
    /// A site with one image and a job that waits.
    private func prepared() async throws -> (Site, Workplace) {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)])
        try site.write(workplace)
        try workplace.photos(["photos/1.jpg"])
        for command in [["import", "photos"], ["produce"]] {
            let finished = try await workplace.farm(command)
            try #require(finished.status == 0, "\(finished.error)")
        }
        return (site, workplace)
    }

    private func nobody() throws -> String { "\(try #require(try ServiceDoubles.freePorts(1).first))" }

    @Test("without the broker the store's half is shown, with the reason, exit 1")
    func withoutBroker() async throws {
        let (site, workplace) = try await prepared()
        let port = try nobody()
        try site.write(workplace, other: ["QUEUE_PORT": port])
        let text = try await workplace.farm("status")
        #expect(text.status == 1)
        #expect(text.output.contains(/the queues are not known: [^\n]*:\d+/))
        #expect(text.output.contains("1 images, 0 results"))
        #expect(text.error.contains("farm: only a part could be read: "))
        #expect(text.error.contains(port))

        let status = try await workplace.farm("status", "--json")
        #expect(status.status == 1)
        let json = try status.json()
        #expect(json["queues"] == .null)
        #expect(json["totals"]?["images"]?.integerValue == 1)
        #expect(json["fault"]?.stringValue?.contains(port) == true)
        await site.remove()
    }

    @Test("without the database the broker's half is shown, with the reason, exit 1")
    func withoutDatabase() async throws {
        let (site, workplace) = try await prepared()
        let port = try nobody()
        try site.write(workplace, other: ["DB_PORT": port])
        let text = try await workplace.farm("status")
        #expect(text.status == 1)
        #expect(text.output.contains(/queue_clip +1 +- +0 +\? +- +\? +- +the database cannot be reached/))
        #expect(text.output.contains("the results are not known: "))
        #expect(text.error.contains("farm: only a part could be read: "))

        let json = try await workplace.farm("status", "--json").json()
        #expect(json["queues"]?.arrayValue?.first?["waiting"]?.integerValue == 1)
        let why = json["queues"]?.arrayValue?.first?["why"]?.stringValue
        #expect(why?.hasPrefix("the database cannot be reached: ") == true)
        #expect(json["queues"]?.arrayValue?.first?["done_per_second"] == .null)
        #expect(json["results"] == .null)
        #expect(json["totals"] == .null)
        #expect(json["counted"] == .null)
        #expect(json["fault"]?.stringValue?.contains(port) == true)

        try site.write(workplace, other: ["DB_PORT": port, "QUEUE_PORT": port])
        let neither = try await workplace.farm("status")
        #expect(neither.status == 1)
        #expect(neither.output.isEmpty)
        #expect(neither.error.occurrences(of: port) >= 2, "both are named: \(neither.error)")
        await site.remove()
    }

    @Test("--watch goes on without the broker, and shows it once it is there")
    func watch() async throws {
        let (site, workplace) = try await prepared()
        let broker = try await RabbitMQServer.started()
        try await broker.stop()
        let other = [
            "QUEUE_PORT": "\(broker.port)", "QUEUE_VHOST": "/", "QUEUE_USER": "guest", "QUEUE_PASSWORD": "guest",
        ]
        try site.write(workplace, other: other)
        let watch = try workplace.start(["status", "--watch", "--json"])
        try await eventually("half of it is shown twice") { watch.output.occurrences(of: #""queues":null"#) >= 2 }
        try await broker.start()
        try await eventually("all of it is shown") { watch.output.contains(#""queue":"queue_clip""#) }
        #expect(watch.output.contains(#""fault":null"#))
        watch.signal(SIGINT)
        #expect(try await watch.finished().status == 130)
        await broker.remove()
        await site.remove()
    }
}
