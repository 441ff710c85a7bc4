import Doubles
import Foundation
import Model
import Synchronization
import Testing

@Suite("Webhooks", .serialized)
struct WebhookTests {
    private static let secret = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiBmYXJt"
    /// Tried twice, at once; the image may take as long as it likes.
    private static let environment = Scene.impatient.merging(
        ["WEBHOOK_SECRET": secret, "WEBHOOK_TRIES": "2", "LOG_LEVEL": "DEBUG"]
    ) { $1 }

    /// Hands photo number n in.
    private func submit(
        _ number: Int, to server: APIServer, _ work: Workplace, callback url: String, key: String? = nil
    ) async throws -> String {
        let answer = try await server.ask(
            "POST", "/images",
            ["path": .string(work.path("photos/\(number).jpg")), "callback_url": .string(url)],
            headers: key.map { ["Idempotency-Key": $0] } ?? [:])
        #expect(answer.status == 202, "\(answer)")
        return try #require(answer.body["callback_id"]?.stringValue)
    }

    private func waiting(_ work: Workplace) async throws -> Int {
        try await work.count("SELECT count(*) FROM farm_queue WHERE queue = 'queue_callbacks'")
    }

    @Test("are not promised to an address that takes none, nor without a secret, and nothing is changed")
    func refusals() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg"])
        let path = JSON.string(work.path("photos/1.jpg"))
        let denying = WebhookTests.environment.merging(["DENY_PRIVATE_IMAGE_URLS": "true"]) { $1 }
        let server = try await APIServer.start(work, denying)
        let long = "https://hooks.example.org/" + String(repeating: "a", count: 3000)
        let urls: [JSON] = [
            "http://127.0.0.1:9/hook", "http://localhost/hook", "http://[::1]/", "http://10.1.2.3/hook",
            "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data", "http://nas/hook", "http://2130706433/",
            "file:///etc/passwd", "ftp://hooks.example.org/", "hooks.example.org", "", "http://",
            "https://anna:pw@hooks.example.org/", .string(long), 5, true, .null, ["https://hooks.example.org/"], [:],
        ]
        for url in urls {
            let answer = try await server.ask("POST", "/images", ["path": path, "callback_url": url])
            #expect(answer.status == 422 && answer.problem == "bad-body", "\(url.text.prefix(80)): \(answer)")
            #expect(answer.body["parameter"] == "callback_url")
        }
        for body: JSON in [
            ["path": path, "until": "primary"], ["path": path, "callback_url": "https://a.example.org/", "until": "x"],
            ["path": path, "callback_url": "https://a.example.org/", "until": 1],
        ] {
            let answer = try await server.ask("POST", "/images", body)
            #expect(answer.status == 422 && answer.body["parameter"] == "until", "\(answer)")
        }
        let off = try await APIServer.start(work)
        let refused = try await off.ask("POST", "/images", ["path": path, "callback_url": "https://a.example.org/"])
        #expect(refused.status == 403 && refused.problem == "webhooks-off", "\(refused)")
        let document = try await off.ask("GET", "/openapi.json")
        #expect(document.body["paths"]?["/images"]?["post"]?["callbacks"]?["done"] != nil)
        #expect(try await work.count("SELECT count(*) FROM images") == 0)
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
    }

    @Test("come once the consensus is there, again after a failure and under the same id, from two servers at once")
    func delivery() async throws {
        let scene = try await Scene(photos: 0)
        let (work, photos) = (scene.workplace, 6)
        try work.photos((1...photos).map { "photos/\($0).jpg" })
        let seen = Mutex<[String: Int]>([:])
        let receiver = try MisbehavingServer { request in
            let id = request.headers["webhook-id"] ?? ""
            let count = seen.withLock { seen in
                seen[id, default: 0] += 1
                return seen[id] ?? 0
            }
            return .answer(count == 1 ? 500 : 204, [])
        }
        let servers = [
            try await APIServer.start(work, WebhookTests.environment),
            try await APIServer.start(work, WebhookTests.environment),
        ]
        var ids: Set<String> = []
        for number in 1...photos {
            let url = "http://127.0.0.1:\(receiver.port)/\(number)?token=s3cret"
            let id = try await submit(number, to: servers[number % 2], work, callback: url)
            // What is sent again is the same promise; another key asks anew.
            #expect(try await submit(number, to: servers[0], work, callback: url) == id)
            ids.insert(id)
        }
        #expect(ids.count == photos)
        try await eventually("both servers are there") {
            let status = try await work.farm("status", "--json", environment: WebhookTests.environment).json()
            let queue = status["queues"]?.arrayValue?.first { $0["service"]?.stringValue == "callbacks" }
            return queue?["workers"]?.integerValue == 2
        }
        #expect(receiver.connections == 0, "no image is done yet")
        let up = try work.start(["up"], environment: Scene.impatient)
        try await eventually("all are taken") { try await waiting(work) == 0 }
        let requests = receiver.requests
        #expect(Set(requests.compactMap { $0.headers["webhook-id"] }) == ids)
        #expect(seen.withLock { $0.values.allSatisfy { $0 >= 2 } })
        for request in requests {
            let body = try JSON(parsing: String(decoding: request.body, as: UTF8.self))
            #expect(body["state"] == "complete" && body["consensus"]?.isNull == false)
            #expect(body["results"]?.arrayValue?.count == Scene.primary)
            #expect(body["image_path"]?.stringValue == work.path("photos" + request.path + ".jpg"))
            #expect(request.headers["webhook-signature"]?.hasPrefix("v1,") == true)
        }
        up.signal(SIGTERM)
        _ = try await up.finished()
        let dead = try await work.farm("dead", "--json")
        #expect(try dead.json() == .array([]))
        for server in servers {
            server.running.signal(SIGTERM)
            let ended = try await server.running.finished()
            #expect(ended.status == 0)
            #expect(!ended.error.contains("c2VjcmV0") && !ended.error.contains("s3cret"), "\(ended.error)")
        }
    }

    @Test("that were posted by a server that is killed before it could note it are posted again under the same id")
    func killed() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg"])
        let receiver = try MisbehavingServer { request in request.number == 1 ? .hang : .answer(204, []) }
        let first = try await APIServer.start(work, WebhookTests.environment)
        let id = try await submit(1, to: first, work, callback: "http://127.0.0.1:\(receiver.port)/hook")
        let up = try work.start(["up"], environment: Scene.impatient)
        await receiver.received { $0.count == 1 }
        first.running.signal(SIGKILL)
        #expect(try await first.running.finished().status == 128 + SIGKILL)
        #expect(try await waiting(work) == 1)
        let second = try await APIServer.start(work, WebhookTests.environment)
        try await eventually("it is taken") { try await waiting(work) == 0 }
        #expect(receiver.requests.map { $0.headers["webhook-id"] } == [id, id])
        for running in [up, second.running] {
            running.signal(SIGTERM)
            #expect(try await running.finished().status == 0)
        }
    }

    @Test("that nobody takes are dead letters with a reason; requeued, they come under the same id")
    func dead() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg", "photos/2.jpg", "photos/3.jpg"])
        let isMended = Mutex(false)
        let receiver = try MisbehavingServer { request in
            request.path == "/gone" ? .answer(410, []) : .answer(isMended.withLock { $0 } ? 200 : 500, [])
        }
        let server = try await APIServer.start(work, WebhookTests.environment)
        let root = "http://127.0.0.1:\(receiver.port)"
        _ = try await submit(1, to: server, work, callback: root + "/gone")
        let down = try await submit(2, to: server, work, callback: root + "/down?token=s3cret")
        let up = try work.start(["up"], environment: Scene.impatient)
        try await eventually("both are dead") {
            try await work.count("SELECT count(*) FROM farm_dead WHERE queue = 'queue_callbacks'") == 2
        }
        let list = try await work.farm("dead", "--service", "callbacks", "--json")
        let letters = try list.json().arrayValue ?? []
        #expect(letters.compactMap { $0["reason"]?.stringValue }.sorted() == ["receiver_failed", "receiver_gone"])
        let failed = try #require(letters.first { $0["reason"] == "receiver_failed" })
        #expect(failed["tries"] == 2 && failed["image_id"] == 2)
        #expect(failed["message"]?.stringValue == "127.0.0.1:\(receiver.port) answered 500")
        let page = try await work.bash("curl -s http://127.0.0.1:\(server.port)/dead")
        #expect(page.output.contains("receiver_failed") && !page.output.contains("s3cret"))
        isMended.withLock { $0 = true }
        let requeued = try await server.ask("POST", "/dead/requeue", ["reasons": ["receiver_failed"]])
        #expect(requeued.body["requeued"] == 1)
        try await eventually("it is taken") { try await waiting(work) == 0 }
        #expect(receiver.requests.filter { $0.path == "/down" }.map { $0.headers["webhook-id"] } == [down, down, down])

        // An image that is never done, since nobody works any more.
        up.signal(SIGTERM)
        _ = try await up.finished()
        server.running.signal(SIGTERM)
        _ = try await server.running.finished()
        let brief = WebhookTests.environment.merging(["WEBHOOK_WAIT": "1"]) { $1 }
        let impatient = try await APIServer.start(work, brief)
        _ = try await submit(3, to: impatient, work, callback: root + "/hook")
        try await eventually("it is dead") {
            try await work.rows("SELECT reason FROM farm_dead WHERE queue = 'queue_callbacks'").contains(
                "image_not_done")
        }
        #expect(!receiver.requests.contains { $0.path == "/hook" })
        // They are no jobs of a service: purge takes only those that it is told of.
        let status = try await work.farm("status", environment: WebhookTests.environment)
        #expect(status.output.contains("queue_callbacks"))
        let hidden = try await work.farm("status")
        #expect(hidden.output.contains("queue_callbacks"), "there are dead ones")
    }

    @Test("are verified by the receiver of docs/api.md, which takes no forged ones")
    func receiver() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg"])
        let page = try String(contentsOf: Program.root.appending(path: "docs/api.md"), encoding: .utf8)
        let scripts = page.matches(of: /(?s)```python\n(.*?)```/).map { String($0.1) }
        let script = try #require(scripts.first { $0.contains("webhook-signature") })
        #expect(script.split(separator: "\n").count <= 40)
        try work.write("receiver.py", script)
        let port = try #require(try ServiceDoubles.freePorts(1).first)
        let receiver = try Running(
            URL(fileURLWithPath: "/usr/bin/python3"), [work.path("receiver.py"), "\(port)"], in: work.folder,
            ["PATH": "/usr/bin:/bin", "WEBHOOK_SECRET": WebhookTests.secret])
        let forged = try await work.bash(
            "curl -s --retry 50 --retry-connrefused --retry-delay 1 -o /dev/null -w '%{http_code} ' -d '{\"image_id\":7}' "
                + "-H 'webhook-id: a' -H \"webhook-timestamp: $(date +%s)\" -H 'webhook-signature: v1,AAAA' "
                + "http://127.0.0.1:\(port)/; curl -s -o /dev/null -w '%{http_code}' -d '{}' http://127.0.0.1:\(port)/")
        #expect(forged.output == "401 401", "\(forged) \(receiver.error)")
        let server = try await APIServer.start(work, WebhookTests.environment)
        _ = try await submit(1, to: server, work, callback: "http://127.0.0.1:\(port)/hook")
        let up = try work.start(["up"], environment: Scene.impatient)
        try await eventually("it is taken") { try await waiting(work) == 0 }
        #expect(receiver.output == "1 complete\n", "\(receiver.error)")
        for running in [up, server.running] {
            running.signal(SIGTERM)
            #expect(try await running.finished().status == 0)
        }
        receiver.signal(SIGTERM)
    }

    @Test("and the whole API work on RabbitMQ and PostgreSQL as on one file")
    func servers() async throws {
        let site = try await Site()
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try site.write(work, other: WebhookTests.environment)
        try work.photos(["photos/1.jpg", "photos/2.jpg"])
        let made = try await work.farm("init")
        #expect(made.status == 0, "\(made.error)")
        #expect(try await work.farm("check", "--json").output.contains("all 11 queues are there"))
        let isMended = Mutex(false)
        let receiver = try MisbehavingServer { request in
            if request.path == "/down" { return .answer(isMended.withLock { $0 } ? 200 : 500, []) }
            return .answer(request.number == 1 ? 503 : 204, [])
        }
        let root = "http://127.0.0.1:\(receiver.port)"
        let servers = [
            try await APIServer.start(work, [:]), try await APIServer.start(work, [:]),
        ]
        let first = try await submit(1, to: servers[0], work, callback: root + "/hook")
        let second = try await submit(2, to: servers[1], work, callback: root + "/down")
        let up = try work.start(["up"])
        let done = try await servers[0].ask("GET", "/images/1?wait=60&until=consensus")
        #expect(done.body["state"] == "complete" && done.body["results"]?.arrayValue?.count == Scene.primary)
        await receiver.received { requests in
            requests.count { $0.path == "/hook" } >= 2 && requests.count { $0.path == "/down" } >= 2
        }
        try await eventually("one is dead") {
            try await servers[1].ask("GET", "/dead?services=callbacks").body["dead"]?.arrayValue?.count == 1
        }
        isMended.withLock { $0 = true }
        let requeued = try await servers[1].ask("POST", "/dead/requeue", ["services": ["callbacks"]])
        #expect(requeued.body["requeued"] == 1, "\(requeued)")
        await receiver.received { requests in requests.count { $0.path == "/down" } >= 3 }
        try await eventually("nothing is left") { try await site.messages() == 0 }
        let posted = receiver.requests
        #expect(Set(posted.filter { $0.path == "/hook" }.map { $0.headers["webhook-id"] }) == [first])
        #expect(Set(posted.filter { $0.path == "/down" }.map { $0.headers["webhook-id"] }) == [second])
        let again = try await servers[1].ask("POST", "/images", ["path": .string(work.path("photos/1.jpg"))])
        #expect(again.body["is_new"] == false)
        #expect(again.body["jobs"]?.arrayValue?.allSatisfy { $0["status"] == "recorded" } == true)
        for running in [up] + servers.map(\.running) {
            running.signal(SIGTERM)
            let ended = try await running.finished()
            #expect(ended.status == 0 && !ended.error.contains("c2VjcmV0"), "\(ended.error)")
        }
        await site.remove()
    }
}
