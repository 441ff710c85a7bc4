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
        arguments: [(nil, 25), ("token-of-those-who-act", 10)] as [(String?, Int)])
    func document(token: String?, seconds: Int) async throws {
        // One photo makes clip answer with an error, so there are dead letters.
        let scene = try await Scene(photos: 3, failing: [("clip", "2.jpg")])
        let work = scene.workplace
        try await scene.produce()
        _ = try await scene.upUntilIdle()
        try work.write("schemathesis.toml", APIDocumentTests.configuration)
        var environment = ["WEB_UPLOAD_DIR": "uploads"]
        if let token { environment["WEB_TOKEN"] = token }
        let server = try await APIServer.start(work, environment)
        let header = token.map { ", '-H', 'Authorization: Bearer \($0)'" } ?? ""
        // The stream of events does not end: APITests reads it.
        _ = try await work.python(
            """
            import os, subprocess, sys
            tool = os.path.join(os.path.dirname(sys.executable), 'schemathesis')
            sys.exit(subprocess.run(
                [tool, 'run', 'http://127.0.0.1:\(server.port)/api/v1/openapi.json', '--checks', 'all', '-n', '10',
                 '--url', 'http://127.0.0.1:\(server.port)/api/v1',
                 '--max-time', '\(seconds)', '--exclude-path', '/events', '--generation-deterministic', '--no-shrink',
                 '--request-timeout', '20', '--no-color'\(header)],
                stdout=sys.stderr).returncode)
            """)
        // It lives, and what was thrown at it has changed no image.
        #expect(
            try await server.ask("GET", "/images/1", headers: token.map { ["Authorization": "Bearer \($0)"] } ?? [:])
                .status == 200)
    }
}
