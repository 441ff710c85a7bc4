import Foundation
import Model
import Pipeline
import RabbitMQ
import Servers
import Waiting

/// A place whose PostgreSQL notes when each transaction was committed, which it does only when it is told so at its start. So it
/// can be told afterwards when a row was there for others to see, without asking meanwhile.
struct TimedPlace {
    var place: Contest.Place
    let queue: RabbitMQQueue
    private let server: PostgreSQLServer

    init(images: Int) async throws {
        server = try await PostgreSQLServer.started()
        try await server.run("ALTER SYSTEM SET track_commit_timestamp = on")
        try await server.stop()
        try await server.start()
        let site = try await Site(postgreSQL: server)
        let workplace = try Workplace(pictures: 1, size: (640, 480), environment: site.settings)
        place = Contest.Place(site: site, workplace: workplace)
        try workplace.farm("init")
        try await Contest.addImages(1...images, to: place)
        queue = try await RabbitMQQueue(
            RabbitMQOptions(
                hosts: [site.rabbitMQ.host], port: site.rabbitMQ.port, user: site.queue.user,
                password: { site.queue.password }, virtualHost: site.queue.name, tls: false, caFile: nil,
                queueType: .classic, connectionName: "farm-bench"),
            time: SystemTime(), log: Jobs.silence)
    }

    func remove() async {
        await queue.close()
        await place.site.remove()
        await server.remove()
    }

    /// Starts farm, and waits until it is there.
    func start(_ arguments: [String], consumers: Int) async throws -> Child {
        let child = try place.workplace.start(arguments)
        let site = place.site
        try await wait(for: "consumers", within: 60, { try await site.consumers() }) { Int($0) >= consumers }
        return child
    }

    func publish(_ image: Int, _ service: String, id: UUID = UUID()) async throws {
        let name = "queue_\(service)"
        let url = "http://127.0.0.1:\(place.workplace.port)/photo/\(image).jpg"
        let job = Job(
            image: Image(id: image, filename: "\(image).jpg", url: url), service: service, queue: name, jobID: id,
            now: Date())
        try await queue.publish([Message(queue: name, body: job.body)])
    }
}
