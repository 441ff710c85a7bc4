import Foundation
import Model
import Testing

@Suite("The OpenAPI document", .serialized)
struct APIDocumentTests {
    /// What can be said of values that fit the document and are no use all the same: services that nobody knows, files
    /// that are not there, cursors that no page gave.
    /// Nobody works on what is handed in, so nothing is waited for.
    private static let configuration = """
        [parameters]
        wait = 0

        [checks.positive_data_acceptance]
        expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422"]
        """

    @Test(
        "is kept by the running server: every check of schemathesis",
        arguments: [nil, "token-of-those-who-act"] as [String?])
    func document(token: String?) async throws {
        // One photo makes clip answer with an error, so there are dead letters.
        let scene = try await Scene(photos: 3, failing: [("clip", "2.jpg")])
        let work = scene.workplace
        try await scene.produce()
        _ = try await scene.upUntilIdle()
        try work.write("schemathesis.toml", APIDocumentTests.configuration)
        // Webhooks are promised, and posted to nobody: names in the examples lead nowhere.
        var environment = ["WEB_UPLOAD_DIR": "uploads", "WEBHOOK_SECRET": "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiBmYXJt"]
        if let token { environment["WEB_TOKEN"] = token }
        let server = try await APIServer.start(work, environment)
        let header = token.map { ", '-H', 'Authorization: Bearer \($0)'" } ?? ""
        // The stream of events does not end: APITests reads it.
        let ran = try await work.python(
            """
            import os, re, subprocess, sys
            tool = os.path.join(os.path.dirname(sys.executable), 'schemathesis')
            finished = subprocess.run(
                [tool, 'run', 'http://127.0.0.1:\(server.port)/api/v1/openapi.json', '--checks', 'all', '-n', '10',
                 '--url', 'http://127.0.0.1:\(server.port)/api/v1', '--exclude-path', '/events',
                 '--generation-deterministic', '--no-shrink', '--request-timeout', '20', '--no-color'\(header)],
                stdout=subprocess.PIPE, text=True)
            print(finished.stdout, file=sys.stderr)
            print(re.search('([0-9]+) generated', finished.stdout)[1])
            sys.exit(finished.returncode)
            """)
        // By number, not by time: on a busy machine hardly anything would be tried.
        #expect(try #require(Int(ran.output.dropLast())) >= 800, "\(ran.error)")
        // The document's example is handed in, with the promise of a webhook.
        let accepted = "SELECT count(*) FROM images WHERE image_url = 'https://photos.example.org/1.jpg'"
        #expect(try await work.count(accepted) == 1)
        #expect(try await work.count("SELECT count(*) FROM farm_queue WHERE queue = 'queue_callbacks'") >= 1)
        // It lives, and what was thrown at it has changed no image.
        #expect(
            try await server.ask("GET", "/images/1", headers: token.map { ["Authorization": "Bearer \($0)"] } ?? [:])
                .status == 200)
    }
}
