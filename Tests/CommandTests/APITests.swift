import Foundation
import FoundationNetworking
import Model
import Testing

@Suite("The API", .serialized)
struct APITests {
    /// A form with a file, as browsers and curl send it.
    private func form(_ file: Data, named filename: String, _ fields: [(String, String)] = [], end: String = "--\r\n")
        -> Data
    {
        var body = Data()
        for (name, value) in fields {
            body += Data("--XX\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
        }
        body += Data("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(filename)\"\r\n".utf8)
        body += Data("Content-Type: application/octet-stream\r\n\r\n".utf8) + file + Data("\r\n--XX\(end)".utf8)
        return body
    }

    private let formType = ["Content-Type": "multipart/form-data; boundary=XX"]

    @Test("an image is handed in, waited for, and known by the same id and the same jobs when it is sent again")
    func submission() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg"])
        let server = try await APIServer.start(work)
        let body: JSON = ["path": .string(work.path("photos/1.jpg")), "group": "api"]
        let first = try await server.ask("POST", "/images", body)
        #expect(first.status == 202 && first.body["is_new"] == true)
        #expect(first.body["jobs"]?.arrayValue?.count == Scene.primary)
        #expect(first.headers.value(forHTTPHeaderField: "Location") == "images/1")
        let pending = try await server.ask("GET", "/images/1")
        #expect(pending.body["state"] == "pending" && pending.body["image_group"] == "api")
        // What is not done in time is told as it is.
        let short = try await server.ask("GET", "/images/1?wait=1")
        #expect(short.status == 200 && short.body["state"] == "pending")
        #expect(short.headers.value(forHTTPHeaderField: "Preference-Applied") == "wait=1")

        let up = try work.start(["up"], environment: Scene.impatient)
        let done = try await server.ask(
            "GET", "/images/1?until=consensus", headers: ["Prefer": "respond-async, wait=60"])
        #expect(done.body["state"] == "complete" && done.body["missing"] == [] && done.body["failed"] == [])
        #expect(done.body["results"]?.arrayValue?.count == Scene.primary && done.body["consensus"]?.isNull == false)
        #expect(done.headers.value(forHTTPHeaderField: "Preference-Applied") == "wait=60")

        // The same again: the same image and jobs, and nothing is asked twice.
        let second = try await server.ask("POST", "/images", body)
        #expect(second.status == 202 && second.body["is_new"] == false && second.body["image_id"] == 1)
        let jobs = second.body["jobs"]?.arrayValue ?? []
        #expect(jobs.count == Scene.primary && jobs.allSatisfy { $0["status"] == "recorded" })
        #expect(
            jobs.map { $0["job_id"] } == first.body["jobs"]?.arrayValue?.map { $0["job_id"] })
        // A key asks anew, once.
        for status in ["submitted", "recorded"] {
            let keyed = try await server.ask(
                "POST", "/images/1/rerun", ["services": ["clip"]], headers: ["Idempotency-Key": "again-1"])
            #expect(keyed.status == 202 && keyed.body["jobs"]?.arrayValue?.first?["status"]?.stringValue == status)
            try await eventually("clip has answered once more") {
                try await work.count("SELECT count(*) FROM results WHERE service = 'clip'") == 2
            }
        }
        #expect(try await work.count("SELECT count(*) FROM results") == Scene.primary + 1)
        #expect(try await work.count("SELECT count(*) FROM farm_audit WHERE who = 'api' AND act = 'rerun'") == 1)
        up.signal(SIGTERM)
        _ = try await up.finished()
    }

    @Test("eight equal requests at once are one image and one set of jobs, and each service answers once")
    func atOnce() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg"])
        let server = try await APIServer.start(work)
        let body: JSON = ["path": .string(work.path("photos/1.jpg"))]
        let answers = try await withThrowingTaskGroup(of: APIAnswer.self) { group in
            for _ in 1...8 { group.addTask { try await server.ask("POST", "/images", body) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 202 && $0.body["image_id"] == 1 })
        #expect(answers.count { $0.body["is_new"] == true } == 1)
        let ids = answers.map { $0.body["jobs"]?.arrayValue?.compactMap { $0["job_id"]?.stringValue } ?? [] }
        #expect(Set(ids).count == 1 && ids.first?.count == Scene.primary)
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(try await work.count("SELECT count(*) FROM images") == 1)
        #expect(try await work.count("SELECT count(*) FROM results") == Scene.primary)
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        for service in ["yolov8", "rtdetr", "clip", "inception_v3"] {
            #expect(try await scene.doubles.calls(of: service).answered == 1, "\(service)")
        }
    }

    @Test("what cannot be used is refused with a problem document, and changes nothing")
    func badInput() async throws {
        let scene = try await Scene(photos: 1)
        let work = scene.workplace
        try work.write("text.jpg", "no picture")
        let server = try await APIServer.start(work)
        let long = String(repeating: "a", count: 60_000)
        let bodies: [(String, JSON, Int)] = [
            ("/images", [:], 422), ("/images", ["url": "ftp://a/b"], 422), ("/images", ["url": 5], 422),
            ("/images", ["url": "http://a/b.jpg", "path": "/a.jpg"], 422), ("/images", ["path": "a.jpg"], 422),
            ("/images", ["path": "/a\0b"], 422), ("/images", ["path": .string("/" + long)], 422),
            ("/images", ["path": .string(work.path("text.jpg"))], 422),
            ("/images", ["path": .string(work.path("photos"))], 422),
            ("/images", ["path": .string(work.path("photos/1.jpg")), "services": ["nobody"]], 422),
            ("/images", ["path": .string(work.path("photos/1.jpg")), "services": "clip"], 422),
            ("/images", ["path": .string(work.path("photos/1.jpg")), "wait": 5], 422),
            ("/images/1/rerun", ["what": "everything"], 422), ("/images/1/rerun", [:], 422),
            ("/images/9/rerun", ["what": "all"], 404), ("/images/x/rerun", ["what": "all"], 400),
            ("/dead/drop", [:], 422), ("/dead/drop", ["all": true, "services": ["clip"]], 422),
            ("/dead/drop", ["services": ["nobody"]], 422), ("/dead/requeue", ["all": true, "limit": 0], 422),
            ("/dead/requeue", ["reasons": ["a"], "before": "yesterday"], 422),
            ("/services/nobody/pause", [:], 422), ("/services/clip/pause", ["until": "2001-01-01T00:00:00Z"], 422),
            ("/services/clip/pause", ["seconds": -1], 422), ("/services/clip/limit", [:], 422),
            ("/services/clip/limit", ["rate": "0/s"], 422), ("/services/clip/limit", ["rate": "-1/s"], 422),
            ("/services/clip/limit", ["rate": "1e9/s"], 422), ("/services/clip/limit", ["concurrency": 0], 422),
        ]
        for (path, body, status) in bodies {
            let answer = try await server.ask("POST", path, body)
            #expect(answer.status == status && answer.problem != nil, "\(path) \(body.text.prefix(80)): \(answer)")
        }
        let queries = [
            "/images?limit=0", "/images?limit=501", "/images?limit=x", "/images?cursor=x", "/images?state=done",
            "/images?group=", "/images?group=a&group=b", "/images?nothing=1",
            "/images?group=\(String(long.prefix(6000)))",
            "/images/1?wait=61", "/images/1?wait=-1", "/images/1?until=x", "/images/1?services=nobody", "/images/0",
            "/images/99999999999999999999", "/images/1/photo?width=0", "/images/1/photo?width=5000", "/dead?limit=0",
            "/dead?images=x", "/dead?services=nobody", "/dead?before=x", "/status?x=1", "/images?group=%ff",
            "/images?group=%00",
        ]
        for query in queries {
            let answer = try await server.ask("GET", query)
            #expect(answer.status == 400 && answer.problem != nil, "\(query.prefix(80)): \(answer)")
        }
        let spaces = String(repeating: " ", count: 1 << 20)
        let requests: [(Int, String, String, String, String, String)] = [
            (404, "not-found", "GET", "/nothing", "", ""), (404, "not-found", "GET", "/images/77", "", ""),
            (405, "method-not-allowed", "DELETE", "/images/1", "", ""),
            (400, "bad-request", "POST", "/images", "{", "application/json"),
            (415, "wrong-media-type", "POST", "/images", "{}", "text/plain"),
            (413, "too-large", "POST", "/images", spaces, "application/json"),
            (403, "uploads-off", "POST", "/images", "--XX--", "multipart/form-data; boundary=XX"),
        ]
        for (status, problem, method, path, body, type) in requests {
            let answer = try await server.ask(
                method, path, bytes: body.isEmpty ? nil : Data(body.utf8),
                headers: type.isEmpty ? [:] : ["Content-Type": type])
            #expect(answer.status == status && answer.problem == problem, "\(method) \(path): \(answer)")
        }
        #expect(try await work.count("SELECT count(*) FROM images") == 1)
        #expect(try await work.count("SELECT count(*) FROM farm_audit") == 0)
        let status = try await server.ask("GET", "/status")
        let waiting = status.body["queues"]?.arrayValue?.compactMap { $0["waiting"]?.integerValue }.reduce(0, +)
        #expect(waiting == 0)
    }

    @Test("who may read and who may act is refused by problem documents, too")
    func tokens() async throws {
        let scene = try await Scene(photos: 1)
        let tokens = ["WEB_TOKEN": "token-of-those-who-act", "WEB_READ_TOKEN": "token-of-those-who-read"]
        let server = try await APIServer.start(scene.workplace, tokens)
        let acts = ["Authorization": "Bearer token-of-those-who-act"]
        let reads = ["Authorization": "Bearer token-of-those-who-read"]
        let none = try await server.ask("GET", "/images/1")
        #expect(none.status == 401 && none.problem == "token-needed")
        #expect(none.headers.value(forHTTPHeaderField: "WWW-Authenticate") == "Bearer realm=\"farm\"")
        #expect(try await server.ask("GET", "/images/1", headers: ["Authorization": "Bearer wrong"]).status == 401)
        #expect(try await server.ask("GET", "/images/1", headers: reads).status == 200)
        let refused = try await server.ask("POST", "/images/1/rerun", ["what": "all"], headers: reads)
        #expect(refused.status == 403 && refused.problem == "not-allowed")
        #expect(try await server.ask("POST", "/images/1/rerun", ["what": "all"], headers: acts).status == 202)
        let other = try await scene.workplace.bash(
            "curl -s -H 'Host: other.example.org' http://127.0.0.1:\(server.port)/api/v1/status")
        #expect(try other.json()["type"] == "urn:farm:problem:wrong-host")
    }

    @Test("an upload is one file and one image however often it comes, and what is no image leaves nothing")
    func uploads() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        let photo = try Data(contentsOf: Program.root.appending(path: "examples/photos/coffee_exif_gps.jpg"))
        let server = try await APIServer.start(work, ["WEB_UPLOAD_DIR": "uploads"])
        func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: work.path("uploads")) }
        for isNew in [true, false] {
            let body = form(photo, named: "../../my photo.jpg", [("group", "sent"), ("services", "clip,yolov8")])
            let answer = try await server.ask("POST", "/images", bytes: body, headers: formType)
            #expect(answer.status == 202 && answer.body["is_new"] == .bool(isNew), "\(answer)")
            #expect(answer.body["jobs"]?.arrayValue?.count == 2)
        }
        let image = try await server.ask("GET", "/images/1?services=clip")
        #expect(image.body["image_filename"] == "my photo.jpg" && image.body["image_group"] == "sent")
        #expect(image.body["missing"] == ["clip"])
        #expect(try files().count == 1)
        let original = try await server.ask("GET", "/images/1/photo")
        #expect(original.status == 200 && original.type == "image/jpeg")
        #expect(original.headers.value(forHTTPHeaderField: "Content-Length") == "\(photo.count)")

        for (body, status) in [
            (form(Data("no picture".utf8), named: "a.jpg"), 422), (form(photo.prefix(9000), named: "a.jpg"), 422),
            (form(Data(), named: "a.jpg"), 422), (form(photo, named: "a.jpg", end: ""), 400),
            (form(photo, named: "a.jpg", [("color", "red")]), 422),
            (form(photo, named: "a.jpg", [("services", "nobody")]), 422),
            (Data("--XX--".utf8), 422), (form(Data(count: 65 << 20), named: "a.jpg"), 413),
        ] {
            let answer = try? await server.ask("POST", "/images", bytes: body, headers: formType)
            // A client that is still sending may see its connection closed in place of the answer.
            #expect(
                answer.map { $0.status == status && $0.problem != nil } ?? (status == 413),
                "\(String(describing: answer))")
        }
        #expect(try files().count == 1)
        #expect(try await work.count("SELECT count(*) FROM images") == 1)

        // Cut in the middle.
        let cut = try await work.bash(
            "exec 3<>/dev/tcp/127.0.0.1/\(server.port); printf 'POST /api/v1/images HTTP/1.1\\r\\nHost: localhost\\r\\n"
                + "Content-Type: multipart/form-data; boundary=XX\\r\\nContent-Length: 100000\\r\\n\\r\\n--XX\\r\\n"
                + "Content-Disposition: form-data; name=\"file\"\\r\\n\\r\\nhalf of it' >&3; "
                + "until ls -A uploads | grep -q part; do sleep 0.1; done; exec 3>&-")
        #expect(cut.status == 0)
        try await eventually("nothing is left of it") { try files().count == 1 }
    }

    @Test("dead letters are listed, requeued and dropped, with a row in the audit")
    func dead() async throws {
        let scene = try await Scene(photos: 3, failing: [("clip", "jpg")])
        let work = scene.workplace
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 3 || up.status == 1 || up.status == 0)
        let server = try await APIServer.start(work)
        let dead = try await server.ask("GET", "/dead?services=clip")
        #expect(dead.body["dead"]?.arrayValue?.count == 3 && dead.body["complete"] == true)
        #expect(try await server.ask("GET", "/dead?reasons=none").body["dead"] == [])
        let counted = try await server.ask("POST", "/dead/drop", ["services": ["clip"], "dry_run": true])
        #expect(counted.body["dropped"] == 3 && counted.body["dry_run"] == true)
        let requeued = try await server.ask("POST", "/dead/requeue", ["images": [1]])
        #expect(requeued.body["requeued"] == 1)
        let dropped = try await server.ask("POST", "/dead/drop", ["all": true])
        #expect(dropped.body["dropped"] == 2 && dropped.body["complete"] == true)
        let audit = try await work.rows("SELECT act, count FROM farm_audit ORDER BY audit_id")
        #expect(audit == ["dead requeue begins|0", "dead requeue|1", "dead drop begins|0", "dead drop|2"])
        let failed = try await server.ask("GET", "/images/2")
        #expect(failed.body["state"] == "complete_with_errors" && failed.body["failed"] == ["clip"])
    }

    @Test("a service is paused, limited and resumed")
    func control() async throws {
        let scene = try await Scene(photos: 0)
        let server = try await APIServer.start(scene.workplace)
        let paused = try await server.ask("POST", "/services/clip/pause", ["reason": "new model", "seconds": 600])
        #expect(paused.body["paused"] == true && paused.body["set_by"] == "api" && paused.body["reason"] == "new model")
        let limited = try await server.ask("POST", "/services/clip/limit", ["rate": "20/s", "concurrency": 2])
        #expect(limited.body["rate_limit"]?.numberValue == 20 && limited.body["concurrency"] == 2)
        #expect(
            try await server.ask("POST", "/services/clip/limit", ["rate": .null]).body["rate_limit"]?.isNull == true)
        let resumed = try await server.ask("POST", "/services/clip/resume")
        #expect(resumed.body["paused"] == false && resumed.body["concurrency"] == 2)
        // What somebody else has paused is left alone.
        let byHand = try await scene.workplace.farm("pause", "clip", "--reason", "by hand")
        #expect(byHand.status == 0, "\(byHand.error)")
        let conflict = try await server.ask("POST", "/services/clip/resume")
        #expect(conflict.status == 409 && conflict.problem == "conflict")
        #expect(try await server.ask("POST", "/services/clip/resume", ["whoever": true]).body["paused"] == false)
        let all = try await server.ask("GET", "/services").body["services"]?.arrayValue ?? []
        #expect(all.contains { $0["service"] == "clip" && $0["concurrency"] == 2 })
    }

    @Test("workers tell what they do, by which version, and which revision of control they obey; so does their page")
    func workers() async throws {
        let scene = try await Scene(["clip"], photos: 2)
        let work = scene.workplace
        let server = try await APIServer.start(work)
        let up = try work.start(["up"], environment: Scene.impatient)
        #expect(try await work.farm("produce", "-s", "clip").status == 0)
        try await eventually("both are done") { try await work.count("SELECT count(*) FROM results") == 2 }
        // A worker whose orders change says at once how it is.
        let limited = try await server.ask("POST", "/services/clip/limit", ["concurrency": 3])
        let revision = try #require(limited.body["revision"]?.numberValue)
        func clip() async throws -> JSON? {
            try await server.ask("GET", "/workers").body["workers"]?.arrayValue?.first { $0["service"] == "clip" }
        }
        try await eventually("it obeys") { try await clip()?["control_revision"]?.numberValue == revision }
        let row = try #require(try await clip())
        let version = try await work.farm("--version").output.split(separator: " ").first.map(String.init)
        #expect(row["version"]?.stringValue == version && row["concurrency"] == 3 && row["completed"] == 2, "\(row)")
        #expect(row["last_job_at"]?.stringValue?.hasSuffix("Z") == true && row["state"] == "working", "\(row)")
        let page = try await work.bash("curl -s http://127.0.0.1:\(server.port)/workers").output
        #expect(page.contains("obeys revision \(Int(revision))") && page.contains(version ?? "?"), "\(page)")
        let farm = try await work.bash("curl -s http://127.0.0.1:\(server.port)/").output
        #expect(farm.contains("<td data-name=\"Breaker\">closed</td>"), "\(farm)")
        #expect(farm.contains("<td data-name=\"Calls at once\" class=\"number\">3</td>"), "\(farm)")
        // Whoever is killed is in one list or the other at any time.
        up.signal(SIGKILL)
        _ = try await up.finished()
        try await eventually("the page says who has gone silent") {
            let page = try await work.bash("curl -s http://127.0.0.1:\(server.port)/workers").output
            let (isAlive, isSilent) = (page.contains("<td data-name=\"State\">"), page.contains("<h2>Silent</h2>"))
            #expect(isAlive || isSilent, "\(page)")
            return isSilent && !isAlive
        }
        try await scene.doubles.stop()
    }

    @Test("events tell the status as it is seen")
    func events() async throws {
        let work = try Workplace()
        let server = try await APIServer.start(work)
        let read = try await work.bash(
            "curl -sN http://127.0.0.1:\(server.port)/api/v1/events | sed -n '/^data/{p;q}'; "
                + "curl -sN http://127.0.0.1:\(server.port)/api/v1/events | sed -n '/^event/{p;q}'")
        #expect(
            read.output.hasPrefix("data: {\"seen_at\"") && read.output.hasSuffix("event: status\n"), "\(read.output)")
    }

    @Test("the page and the document list the same requests, and every kind of problem")
    func page() async throws {
        let page = try String(contentsOf: Program.root.appending(path: "docs/api.md"), encoding: .utf8)
        let work = try Workplace()
        defer { withExtendedLifetime(work) {} }
        let server = try await APIServer.start(work)
        let document = try await server.ask("GET", "/openapi.json")
        #expect(document.status == 200 && document.body["openapi"] == "3.1.0")
        for path in document.body["paths"]?.objectValue?.map(\.key) ?? [] {
            let last = "/" + (path.split(separator: "/").last ?? "")
            #expect(page.contains("\(path)`") || page.contains("`\(last)`"), "\(path) is in docs/api.md")
        }
    }
}
