import Foundation
import Model
import Testing

@Suite("The API's images", .serialized)
struct APIImageTests {
    /// All images of a search, from page to page.
    private func images(_ query: String, of server: APIServer) async throws -> [Int] {
        var (found, cursor) = ([Int](), String?.none)
        repeat {
            let at = cursor.map { "&cursor=\($0)" } ?? ""
            let page = try await server.ask("GET", "/images?limit=3&\(query)\(at)")
            try #require(page.status == 200, "\(page)")
            let part = (page.body["images"]?.arrayValue ?? []).compactMap { $0["image_id"]?.integerValue }
            #expect(part.count <= 3)
            found += part
            cursor = page.body["next"]?.stringValue
        } while cursor != nil && found.count < 50
        return found
    }

    @Test("are listed page by page, each once, and by each filter")
    func pages() async throws {
        let work = try await Workplace.prepared(images: 7)
        _ = try await work.rows(
            """
            INSERT INTO results (image_id, service, data, status) SELECT image_id, 'clip', '{"predictions": []}', 'success'
                FROM images WHERE image_id IN (2, 3);
            INSERT INTO merged_boxes (image_id, merged_data, status) VALUES
                (2, '{"label": "cat", "merged_bbox": {"x": 1, "y": 1, "width": 2, "height": 2}}', 'success');
            INSERT INTO consensus (image_id, consensus_data) VALUES
                (3, '{"votes": {"consensus": [{"emoji": "🐱", "votes": 2}]}}');
            """)
        let server = try await APIServer.start(work)
        try await eventually("the index has them") { try await images("state=partial", of: server).count == 2 }
        for (query, expected) in [
            ("order=newest", [7, 6, 5, 4, 3, 2, 1]), ("order=oldest", [1, 2, 3, 4, 5, 6, 7]),
            ("group=odd", [7, 5, 3, 1]), ("text=3.JPG", [3]), ("label=cat", [2]), ("emoji=%F0%9F%90%B1", [3]),
            ("state=partial", [3, 2]), ("state=pending&group=even", [6, 4]), ("group=none", []),
        ] {
            #expect(try await images(query, of: server) == expected, "\(query)")
        }
        let cat = try await server.ask("GET", "/images?label=cat").body["images"]?.arrayValue?.first
        #expect(cat?["labels"]?.arrayValue?.first?["label"] == "cat" && cat?["state"] == "partial")
    }

    /// A workplace of four services at which nobody listens, and one photo.
    private func workplace() async throws -> Workplace {
        let work = try Workplace()
        try work.configure(["blip", "clip", "colors", "ocr"].map { (service: $0, port: 9) })
        try work.photos(["photos/1.jpg"])
        let imported = try await work.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        return work
    }

    @Test("have one set of jobs for each key, however often it is sent")
    func keys() async throws {
        let work = try await workplace()
        let server = try await APIServer.start(work)
        let body: JSON = ["path": .string(work.path("photos/1.jpg")), "services": ["clip", "blip"]]
        func jobs(_ key: String?) async throws -> [String] {
            let headers = key.map { ["Idempotency-Key": $0] } ?? [:]
            let answer = try await server.ask("POST", "/images", body, headers: headers)
            try #require(answer.status == 202, "\(answer)")
            return (answer.body["jobs"]?.arrayValue ?? []).compactMap { $0["job_id"]?.stringValue }
        }
        var all: Set<String> = []
        for key in [nil, "first", "second"] {
            let first = try await jobs(key)
            #expect(try await jobs(key) == first)
            all.formUnion(first)
        }
        #expect(all.count == 6)
        for key in ["", "a b", String(repeating: "k", count: 256)] {
            let answer = try await server.ask("POST", "/images", body, headers: ["Idempotency-Key": key])
            #expect(answer.status == 400 || key.isEmpty && answer.status == 202, "\(key): \(answer)")
        }
    }

    @Test("are asked about again by what they lack, and each act has its row in the audit")
    func rerun() async throws {
        let work = try await workplace()
        _ = try await work.rows(
            """
            INSERT INTO results (image_id, service, data, status) VALUES
                (1, 'blip', '{"predictions": [{"text": "a"}]}', 'success'),
                (1, 'clip', '{"error": {"kind": "timeout"}}', 'error'), (1, 'colors', '{"predictions": []}', 'success');
            """)
        let server = try await APIServer.start(work)
        for (what, services) in [
            ("missing", ["ocr"]), ("failed", ["clip"]), ("empty", ["colors"]),
            ("all", ["blip", "clip", "colors", "ocr"]),
        ] {
            let answer = try await server.ask("POST", "/images/1/rerun", ["what": .string(what)])
            let jobs = answer.body["jobs"]?.arrayValue ?? []
            #expect(
                answer.status == 202 && jobs.compactMap { $0["service"]?.stringValue }.sorted() == services, "\(what)")
        }
        #expect(
            try await work.waiting() == ["queue_blip|1", "queue_clip|2", "queue_colors|2", "queue_ocr|2"])
        #expect(
            try await work.rows("SELECT who, act, count FROM farm_audit ORDER BY audit_id") == [
                "api|rerun|1", "api|rerun|1", "api|rerun|1", "api|rerun|4",
            ])
    }

    @Test("show photos below IMAGE_ROOT only, and say by a tag that they have not changed")
    func photos() async throws {
        let work = try await workplace()
        let outside = try work.photo("coffee_exif_gps.jpg", as: "private/2.jpg")
        try FileManager.default.createSymbolicLink(
            atPath: work.path("photos/3.jpg"), withDestinationPath: outside)
        _ = try await work.rows(
            """
            INSERT INTO images (image_filename, image_path) VALUES ('2.jpg', '\(outside)'),
                ('3.jpg', '\(work.path("photos/3.jpg"))'), ('4.jpg', '\(work.path("photos/../private/2.jpg"))'),
                ('5.jpg', '/etc/passwd'), ('6.jpg', NULL);
            """)
        let server = try await APIServer.start(work, ["IMAGE_ROOT": "photos"])
        func status(_ path: String, _ options: String = "") async throws -> String {
            let curl = "curl -s -o /dev/null -w '%{http_code} %{content_type} %header{etag}' \(options)"
            return try await work.bash("\(curl) 'http://127.0.0.1:\(server.port)/\(path)'").output
        }
        #expect(try await status("api/v1/images/1/photo").hasPrefix("200 image/jpeg"))
        for path in ["api/v1/images/N/photo?width=100", "images/N/thumbnail"] {
            let shown = try await status(path.replacing("N", with: "1"))
            #expect(shown.hasPrefix("200 image/jpeg \""), "\(path): \(shown)")
            let tag = try #require(shown.split(separator: " ").last)
            let again = try await status(path.replacing("N", with: "1"), "-H 'If-None-Match: \(tag)'")
            #expect(again.hasPrefix("304 "), "\(path): \(again)")
            for (given, expected) in [
                ("W/\(tag)", "304 "), ("\"a\", W/\"b\",\(tag)", "304 "), ("*", "304 "), ("\"a\"", "200 "), ("", "200 "),
            ] {
                let answer = try await status(path.replacing("N", with: "1"), "-H 'If-None-Match: \(given)'")
                #expect(answer.hasPrefix(expected), "\(given): \(answer)")
            }
            for id in 2...7 {
                let refused = try await status(path.replacing("N", with: "\(id)"))
                #expect(refused.hasPrefix("404 "), "\(path), \(id): \(refused)")
            }
        }
        for id in 2...7 {
            let refused = try await server.ask("GET", "/images/\(id)/photo")
            #expect(refused.status == 404 && refused.problem == "not-found", "\(id): \(refused)")
        }
    }
}
