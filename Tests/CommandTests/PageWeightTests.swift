import Foundation
import Model
import Testing

/// A page has at most 100 KB without photos, whatever the farm holds. Style and scripts have 20 of them.
@Suite("The weight of pages", .serialized)
struct PageWeightTests {
    private static let heaviest = 80_000

    private func page(_ path: String, of server: APIServer, _ work: Workplace) async throws -> String {
        let text = try await work.bash("curl -s 'http://127.0.0.1:\(server.port)/\(path)'").output
        #expect(text.utf8.count <= PageWeightTests.heaviest, "/\(path): \(text.utf8.count) bytes")
        #expect(text.contains("</html>"), "/\(path)")
        return text
    }

    /// The addresses that a page links to, from the root.
    private func links(_ text: String, beginning: String) -> [String] {
        text.matches(of: /href="([^"]+)"/).map { String($0.1).replacing("&amp;", with: "&") }
            .filter { $0.hasPrefix(beginning) }
    }

    @Test("an image with 160 boxes of detectors and 40 fused ones has a light page, which leads to all of them")
    func crowdedImage() async throws {
        let work = try Workplace()
        try work.configure(["blip", "clip", "rtdetr", "yolov8"].map { (service: $0, port: 9) })
        try work.photos(["photos/1.jpg"])
        let imported = try await work.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        let seeding = Program.root.appending(path: "Tests/Browser/crowd.py").path
        let seeded = try await work.python([seeding, work.path("farm.db"), "1"])
        try #require(seeded.status == 0, "\(seeded.error)")
        let server = try await APIServer.start(work)
        let image = try await page("images/1", of: server, work)
        #expect(image.contains("failed crops: face 20"))
        #expect(
            image.matches(of: /<rect x="[0-9.]+" y="[0-9.]+" width="[0-9.]+" height="[0-9.]+" data-confidence/).count
                == 200)
        for (table, count) in [("boxes", 160), ("fused", 40)] {
            var (path, seen) = ("images/1/tables/\(table)", 0)
            for _ in 1...20 {
                let text = try await page(path, of: server, work)
                seen += text.matches(of: /<tr( |><th scope="row")/).count
                guard let next = links(text, beginning: "\(table)?from=").first else { break }
                path = "images/1/tables/\(next)"
            }
            #expect(seen == count, "\(table)")
        }
        let link = try #require(links(image, beginning: "1/fused/").first)
        let box = try await page("images/\(link)", of: server, work)
        #expect(box.contains("fill=\"#aa5500\"") && box.contains("#aa5500 60 %"))
        let raw = try await work.bash("curl -s 'http://127.0.0.1:\(server.port)/images/\(link)/pose'")
        #expect(try raw.json()["predictions"]?.arrayValue?.count == 1)
        for path in [
            "images/1/tables/nothing", "images/1/fused/999999", "images/\(link)/nobody", "images/2/tables/boxes",
        ] {
            let status = try await work.bash(
                "curl -s -o /dev/null -w '%{http_code}' 'http://127.0.0.1:\(server.port)/\(path)'")
            #expect(status.output == "404", "\(path)")
        }
    }

    @Test("200 workers are listed by machine, and each machine's by pages")
    func workers() async throws {
        let work = try await Workplace.prepared()
        _ = try await work.rows(
            """
            WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 200)
            INSERT INTO farm_workers (run, queue, worker_id, service, host, state, silence, started, seen, revision, version,
                concurrency, completed, rate, last_job)
            SELECT 'run' || n, 'queue_clip', 'worker-' || n, 'clip', iif(n <= 150, 'large & first', 'second'), 'working',
                86400, t, t, 0, '0.3.0', 4, 100, 1.5, t
            FROM number, (SELECT strftime('%Y-%m-%d %H:%M:%f', 'now') AS t)
            """)
        let server = try await APIServer.start(work)
        let all = try await page("workers", of: server, work)
        #expect(links(all, beginning: "workers?machine=").count == 2 && all.contains("clip 150"), "\(all)")
        var (path, seen) = ("workers?machine=large%20%26%20first", 0)
        for _ in 1...20 {
            let text = try await page(path, of: server, work)
            seen += text.matches(of: />worker-[0-9]+</).count
            guard let next = links(text, beginning: "workers?machine=").first else { break }
            path = next
        }
        #expect(seen == 150)
        #expect(try await page("workers?machine=nobody", of: server, work).contains("No worker is alive on nobody"))
    }
}
