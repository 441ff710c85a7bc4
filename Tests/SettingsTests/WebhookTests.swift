import Testing

@testable import Settings

@Suite("Webhooks")
struct WebhookTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    @Test("are off without a secret, and tried for about half a day with one, unless it is said otherwise")
    func values() throws {
        #expect(try settings([:]).webhooks == nil)
        #expect(try settings(["WEBHOOK_TRIES": "3"]).webhooks == nil)
        let usual = try #require(try settings(["WEBHOOK_SECRET": Self.secret]).webhooks)
        #expect(usual.key.count == 24 && usual.key.first == 0x31)
        #expect(usual.tries == 20 && usual.wait == .seconds(86_400))
        let own = try settings(["WEBHOOK_SECRET": Self.secret, "WEBHOOK_TRIES": "3", "WEBHOOK_WAIT": "60"]).webhooks
        #expect(own?.tries == 3 && own?.wait == .seconds(60))
        let machine = try Machine(["secret": Self.secret + "\n"])
        #expect(try machine.load(["WEBHOOK_SECRET_FILE": "secret"]).webhooks?.key == usual.key)
    }

    @Test(
        "are not signed with a key that is none, which is not shown",
        arguments: [
            "s3cret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_no base64 at all!!",
            "whsec_" + String(repeating: "QUFB", count: 40),
        ])
    func secrets(secret: String) throws {
        let faults = try faults(["WEBHOOK_SECRET": secret])
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix("WEBHOOK_SECRET: must be whsec_ and the base64 of 24 to 64 bytes") == true)
        #expect(secret == "whsec_" || faults.first?.contains(secret) == false)
    }

    @Test("are neither tried nor waited for without end", arguments: ["0", "-1", "51", "1e3", "many"])
    func tries(text: String) throws {
        #expect(try faults(["WEBHOOK_SECRET": Self.secret, "WEBHOOK_TRIES": text]).count == 1)
        #expect(try faults(["WEBHOOK_SECRET": Self.secret, "WEBHOOK_WAIT": "0"]).count == 1)
        #expect(try faults(["WEBHOOK_SECRET": Self.secret, "WEBHOOK_WAIT": "2592001"]).count == 1)
    }

    @Test("have a queue and a name that no service may have")
    func names() throws {
        for entry in [#""callbacks": {"port": 1}"#, #""backs": {"port": 1, "queue_prefix": "queue_call"}"#] {
            #expect(try machine("{\"services\": {\(entry)}}").faults().count == 1, "\(entry)")
        }
    }
}
