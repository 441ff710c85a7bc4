import Testing

@testable import Settings

@Suite("Where the web keeps photos")
struct WebCacheTests {
    @Test("is a hidden folder of a gigabyte, unless it is said otherwise")
    func values() throws {
        let usual = try #require(try settings([:]).webCache)
        #expect(usual.folder.hasSuffix("/.farm-cache"))
        #expect(usual.limit == 1 << 30)
        let own = try settings(["WEB_CACHE_DIR": "/var/cache/farm", "WEB_CACHE_SIZE": "10"]).webCache
        #expect(own?.folder == "/var/cache/farm")
        #expect(own?.limit == 10 << 20)
        #expect(try settings(["WEB_CACHE_SIZE": "0"]).webCache == nil)
    }

    @Test("is no number of MiB that none can have", arguments: ["-1", "1.5", "1e9", "much", "10000001"])
    func refused(size: String) {
        #expect(throws: SettingsFault.self) { try settings(["WEB_CACHE_SIZE": size]) }
    }
}
