import Foundation
import Testing

@testable import Operations

@Suite("The key of webhooks")
struct WebhookKeyTests {
    @Test("signs id, time and body as Standard Webhooks has it; the expected value is Python's")
    func signature() throws {
        let key = try #require(Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let id = try #require(UUID(uuidString: "6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
        let headers = WebhookKey(Array(key)).headers(
            id: id, at: Date(timeIntervalSince1970: 1_614_265_330.9), Array(#"{"test": 2432232314}"#.utf8))
        #expect(headers.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(
            headers.map(\.value) == [
                "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "1614265330",
                "v1,G+9CStDDHUAPGeRilZoYCwKgTcC/Bj6CtDIgh2VodvU=",
            ])
    }

    @Test("is shown by nothing that prints, dumps or mirrors it")
    func hidden() {
        let key = WebhookKey([115, 51, 99])
        var dumped = ""
        dump(["key": key], to: &dumped)
        #expect(!"\(key) \(String(reflecting: key)) \(dumped)".contains("115"))
        #expect("\(key)" == "(secret)")
    }

    @Test("waits are longer each time, at most an hour, and what a receiver asks for up to a day")
    func waits() {
        let policy = CallbackPolicy(tries: 20, delay: .seconds(5), patience: .seconds(1))
        func wait(_ tries: Int, _ retryAfter: Duration? = nil) -> Double {
            Double(policy.wait(after: tries, retryAfter: retryAfter, { 1 }).components.seconds)
        }
        #expect([1, 2, 3, 10, 11, 20].map { wait($0) } == [5, 10, 20, 2560, 3600, 3600])
        #expect(wait(1, .seconds(1)) == 5 && wait(1, .seconds(90)) == 90)
        #expect(wait(1, .seconds(1_000_000)) == 86_400)
        let all = (1..<20).reduce(0) { $0 + wait($1) }
        #expect((9 * 3600...14 * 3600).contains(Int(all)), "about half a day: \(all)")
    }
}
