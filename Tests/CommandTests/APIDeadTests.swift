import Foundation
import Model
import Testing

@Suite("Dead letters by the API", .serialized)
struct APIDeadTests {
    private let work: Workplace
    private let server: APIServer

    init() async throws {
        work = try await Workplace.prepared()
        try work.configure(["blip", "clip"].map { (service: $0, port: 9) })
        server = try await APIServer.start(work)
    }

    @Test("those that are meant are reached behind any number of others, and what changes nothing leaves no row")
    func beyond() async throws {
        try await work.bury(20_500)
        try await work.bury(5, reason: "http")
        try await work.bury(1, of: "blip", reason: "http")
        let filter: [JSON.Member] = [JSON.Member("reasons", ["http"])]
        var (cursor, requeued): (JSON, [Int]) = (.null, [])
        repeat {
            let members = cursor.isNull ? filter : filter + [JSON.Member("cursor", cursor)]
            let answer = try await server.ask("POST", "/dead/requeue", .object(members))
            try #require(answer.status == 200, "\(answer)")
            requeued.append(try #require(answer.body["requeued"]?.integerValue))
            cursor = try #require(answer.body["next"])
            #expect(answer.body["complete"]?.boolValue == cursor.isNull)
        } while !cursor.isNull && requeued.count < 99
        // Blip comes first. On a slow machine a request may end before it has met any.
        #expect(requeued.filter { $0 > 0 } == [1, 5])
        #expect(requeued.count >= 2)
        #expect(try await work.waiting() == ["queue_blip|1", "queue_clip|5"])
        #expect(try await work.deadCount() == 20_500)
        let audit = "SELECT act, count FROM farm_audit ORDER BY audit_id"
        let rows = ["dead requeue begins|0", "dead requeue|1", "dead requeue begins|0", "dead requeue|5"]
        #expect(try await work.rows(audit) == rows)
        let nothing = try await server.ask("POST", "/dead/drop", ["reasons": ["refused"]])
        #expect(nothing.status == 200 && nothing.body["dropped"] == 0 && nothing.body["complete"] == false)
        #expect(try await work.rows(audit) == rows, "it has changed nothing")
    }

    @Test("are listed by pages, each once")
    func pages() async throws {
        try await work.bury(1_234)
        try await work.bury(11, of: "blip", reason: "http")
        var (query, images): (String, [String: [Int]]) = ("", [:])
        repeat {
            let answer = try await server.ask("GET", "/dead?limit=300\(query)")
            try #require(answer.status == 200, "\(answer)")
            for letter in answer.body["dead"]?.arrayValue ?? [] {
                let service = try #require(letter["service"]?.stringValue)
                images[service, default: []].append(try #require(letter["image_id"]?.integerValue))
            }
            #expect(answer.body["total"] == 1_245)
            guard let next = answer.body["next"]?.stringValue else { break }
            query = "&cursor=\(next)"
        } while images["clip"]?.count ?? 0 < 2_000
        #expect(images == ["blip": Array(1...11), "clip": Array(1...1_234)])
    }

    @Test("a limit that some letters reach ends at the last of them, and the rest is met by the next request")
    func limited() async throws {
        try await work.bury(450)
        var (cursor, dropped): (JSON, [Int]) = (.null, [])
        repeat {
            var members: [JSON.Member] = [JSON.Member("services", ["clip"]), JSON.Member("limit", 200)]
            if !cursor.isNull { members.append(JSON.Member("cursor", cursor)) }
            let answer = try await server.ask("POST", "/dead/drop", .object(members))
            dropped.append(try #require(answer.body["dropped"]?.integerValue))
            cursor = try #require(answer.body["next"])
        } while !cursor.isNull && dropped.count < 9
        #expect(dropped == [200, 200, 50])
        #expect(try await work.deadCount() == 0)
    }

    @Test("a cursor that no answer has given is refused")
    func cursors() async throws {
        try await work.bury(1)
        let (query, body) = (
            try await server.ask("GET", "/dead?cursor=5"),
            try await server.ask("POST", "/dead/drop", ["all": true, "cursor": "5"])
        )
        for (answer, status) in [(query, 400), (body, 422)] {
            #expect(answer.status == status && answer.body["parameter"] == "cursor", "\(answer)")
        }
        #expect(try await work.deadCount() == 1)
    }
}
