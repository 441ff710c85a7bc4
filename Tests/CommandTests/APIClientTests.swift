import Foundation
import Testing

/// The client in Python that docs/api.md shows.
@Suite("The documented client", .serialized)
struct APIClientTests {
    private let work: Workplace
    private let scene: Scene

    init() async throws {
        scene = try await Scene(photos: 1)
        work = scene.workplace
        let page = try String(contentsOf: Program.root.appending(path: "docs/api.md"), encoding: .utf8)
        let client = try #require(page.firstMatch(of: /(?s)```python\n(.*?)```/)).1
        #expect(client.split(separator: "\n").count <= 40)
        try work.write("client.py", String(client))
    }

    @Test("does what the page says, also while the server is started again")
    func restart() async throws {
        let first = try await APIServer.start(work)
        let running = try work.startBash(
            "/usr/bin/python3 client.py http://127.0.0.1:\(first.port) \"$PWD/photos/1.jpg\"")
        // Nobody works yet, so it waits for an answer from now on.
        try await eventually("the image is handed in") {
            try await work.waiting().contains { $0.hasPrefix("queue_clip") }
        }
        // By now it waits for the answer to that; no event tells. If it does not yet, the restart meets another request of its,
        // which it outlasts as well, so the time decides nothing.
        try await Task.sleep(for: .seconds(1))
        first.running.signal(SIGTERM)
        _ = try await first.running.finished()
        let second = try await APIServer.start(work, port: first.port)
        let up = try work.start(["up"], environment: Scene.impatient)
        let ran = try await running.finished()
        #expect(ran.status == 0, "\(ran.error)")
        #expect(ran.output.hasPrefix("1 complete \(Scene.primary) results"), "\(ran.output)")
        up.signal(SIGTERM)
        _ = try await up.finished()
        withExtendedLifetime(second) {}
    }

    @Test("says what a proxy says in a page of its own, and asks again where that may help")
    func proxy() async throws {
        try work.write(
            "proxy.py",
            """
            import http.server, threading, client
            statuses = [504, 413]
            class Proxy(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    page = b"<html>too much</html>"
                    self.send_response(statuses.pop(0))
                    self.send_header("Content-Length", str(len(page)))
                    self.end_headers()
                    self.wfile.write(page)
                def log_message(self, *_):
                    pass
            server = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                client.Farm(f"http://127.0.0.1:{server.server_port}").ask("GET", "/images/1")
            except RuntimeError as error:
                print(error, len(statuses))
            """)
        let ran = try await work.bash("/usr/bin/python3 proxy.py")
        #expect(ran.status == 0, "\(ran.error)")
        #expect(ran.output.contains("413") && ran.output.hasSuffix("<html>too much</html> 0\n"), "\(ran.output)")
    }
}
