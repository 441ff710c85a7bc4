import Doubles
import Model
import Pictures
import Pipeline
import Testing

@testable import Services

@Suite("Posting webhooks")
struct WebhookPostingTests {
    private let denied = ImagePolicy(deniesPrivateURLs: true)
    private let headers: [(name: String, value: String)] = [("webhook-id", "one"), ("webhook-signature", "v1,abc=")]

    @Test(
        "is refused to what is no address of a receiver, wherever private addresses are allowed too",
        arguments: [
            "", "hooks", "/hooks", "file:///etc/passwd", "ftp://hooks/a", "gopher://hooks/a", "http://", "http:///a",
            "http://anna@hooks/", "https://anna:secret@hooks.example.org/", "http://hooks:99999/", "http://a b/",
            "http://hooks:x/", "javascript:alert(1)", "http://[::1/",
        ])
    func refused(url: String) async {
        let client = HTTPClient()
        #expect(client.refusal(of: url) != nil)
        guard case .refused(let reason) = await client.post([], to: url, headers: []) else {
            Issue.record("\(url) was tried")
            return
        }
        #expect(!reason.contains("secret"), "\(reason)")
    }

    @Test(
        "is refused to private addresses, in any spelling, where they are denied",
        arguments: [
            "http://127.0.0.1/", "http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://localhost/",
            "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.5/", "http://192.168.0.1:8080/hook",
            "http://169.254.169.254/latest/meta-data", "http://0.0.0.0/", "http://nas/", "http://nas.local/",
            "http://a.internal/", "http://[fd00::1]/", "http://100.64.0.1/", "http://①②⑦.0.0.1/",
        ])
    func isPrivate(url: String) {
        #expect(HTTPClient(policy: denied).refusal(of: url)?.contains("DENY_PRIVATE_IMAGE_URLS") == true)
        #expect(HTTPClient(policy: denied).refusal(of: "https://hooks.example.org:8443/a?b=c") == nil)
    }

    @Test("checks the address again when it connects, so a name that leads inside after the check does not pass")
    func rebound() async throws {
        let server = try MisbehavingServer()
        // The name passes the check of its text here, as one does that leads elsewhere the second time.
        let client = HTTPClient(policy: ImagePolicy(), addresses: { $0.isPublic })
        let url = "http://localhost:\(server.port)/hook"
        #expect(client.refusal(of: url) == nil)
        let answer = await client.post([1], to: url, headers: headers)
        guard case .refused(let reason) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(reason.contains("a private address"))
        #expect(server.connections == 0)
    }

    @Test("sends JSON with its headers, follows no redirection, and reads no more of an answer than it needs")
    func posts() async throws {
        let inner = try MisbehavingServer()
        let server = try MisbehavingServer { request in
            switch request.path {
            case "/moved": .json("", status: 307, headers: ["Location": "http://127.0.0.1:\(inner.port)/"])
            case "/busy": .json("", status: 503, headers: ["Retry-After": "120"])
            case "/large": .answer(200, [UInt8](repeating: 65, count: 1 << 20))
            case "/closes": .close
            default: .answer(204, [])
            }
        }
        let (client, root) = (HTTPClient(), "http://127.0.0.1:\(server.port)")
        let body = Array(#"{"image_id":1}"#.utf8)
        func post(_ path: String) async -> WebhookAnswer {
            await client.post(body, to: root + path, headers: headers)
        }
        #expect(await post("/hook?a=b") == .answered(status: 204, retryAfter: nil))
        let request = try #require(server.requests.first)
        #expect(request.method == "POST" && request.body == body && request.target == "/hook?a=b")
        #expect(request.headers["content-type"] == "application/json" && request.headers["webhook-id"] == "one")
        #expect(request.headers["webhook-signature"] == "v1,abc=")
        #expect(await post("/moved") == .answered(status: 307, retryAfter: nil))
        #expect(inner.connections == 0)
        #expect(await post("/busy") == .answered(status: 503, retryAfter: .seconds(120)))
        #expect(await post("/large") == .answered(status: 200, retryAfter: nil))
        guard case .failed(let reason) = await post("/closes?token=s3cret") else {
            Issue.record("it was closed")
            return
        }
        #expect(reason.hasPrefix("127.0.0.1:\(server.port): ") && !reason.contains("s3cret"), "\(reason)")
    }
}
