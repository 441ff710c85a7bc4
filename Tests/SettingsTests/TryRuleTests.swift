import Testing

@testable import Settings

@Suite("Tries and waits")
struct TryRuleTests {
    @Test("waits double from the delay and are at most 60 s")
    func longest() {
        #expect(TryRule().longest == .seconds(30 * 3 + 5 + 10))
        #expect(TryRule(timeout: .seconds(280), maxRetries: 1, retryDelay: .seconds(60)).longest == .seconds(280))
        #expect(
            TryRule(timeout: .seconds(1), maxRetries: 5, retryDelay: .seconds(20)).longest
                == .seconds(5 + 20 + 40 + 60 + 60))
        #expect(TryRule(timeout: .seconds(280), maxRetries: 100, retryDelay: .seconds(60)).longest == .seconds(33_940))
    }

    @Test("settings of just 280 s a job pass, more are refused")
    func limit() throws {
        // 4 × 61.25 + 5 + 10 + 20 = 280
        let passing = ["REQUEST_TIMEOUT": "61.25", "MAX_RETRIES": "4"]
        #expect(try faults(passing) == [])
        #expect(
            try faults(passing.merging(["REQUEST_TIMEOUT": "61.5"]) { $1 }) == [
                "REQUEST_TIMEOUT, MAX_RETRIES, RETRY_DELAY: "
                    + "4 tries of 61.5 s and the waits between them add up to 281 s a job; at most 280 s"
            ])
    }

    @Test("a service's own settings are added up with the global ones it inherits, and named")
    func service() throws {
        let machine = try Machine([
            "service_config.json": """
            {"services": {"ollama": {"timeout": 120}, "blip": {"timeout": 100, "max_retries": 1}, "clip": {}}}
            """
        ])
        #expect(
            machine.faults() == [
                "service_config.json: services.ollama: "
                    + "3 tries of 120 s and the waits between them add up to 375 s a job; at most 280 s"
            ])
        let settings = try machine.load(["MAX_RETRIES": "2", "RETRY_DELAY": "1"])
        let ollama = try #require(settings.services.service(named: "ollama"))
        #expect(ollama.timeout == .seconds(120))
        #expect(ollama.maxRetries == 2)
        #expect(ollama.retryDelay == .seconds(1))
        let blip = try #require(settings.services.service(named: "blip"))
        #expect(blip.maxRetries == 1)
        #expect(settings.services.service(named: "clip")?.timeout == .seconds(30))
    }

    @Test("global settings at fault are reported once, not for each service that inherits them")
    func once() throws {
        #expect(try faults(["MAX_RETRIES": "50"]).count == 1)
        #expect(
            try Machine(["service_config.json": #"{"services": {"clip": {}}}"#]).faults(["MAX_RETRIES": "50"]).count
                == 1)
    }
}
