import Testing

@testable import Web

@Suite("Who may do what")
struct AccessTests {
    private static let token = "a-token-of-the-tests"
    private static let readToken = "a-token-for-reading"
    private let rules = AccessRules(token: token, readToken: readToken)

    @Test("a login holds for thirty days, as long as its token stays, and only for what the token allows")
    func cookies() throws {
        let now = 1_800_000_000
        let cookie = try #require(rules.cookie(for: AccessTests.token, now: now))
        #expect(rules.access(bearer: nil, cookies: [cookie], now: now) == .act(isOpen: false))
        #expect(rules.access(bearer: nil, cookies: [cookie], now: now + 30 * 86_400) == .none)
        #expect(rules.access(bearer: nil, cookies: [cookie], now: now - 2 * 3600) == .none)
        let changed = AccessRules(token: "another-token-by-now", readToken: AccessTests.token)
        #expect(changed.access(bearer: nil, cookies: [cookie], now: now) == .none)
        let reading = try #require(rules.cookie(for: AccessTests.readToken, now: now))
        #expect(rules.access(bearer: nil, cookies: [reading], now: now) == .read(isOpen: false))
        #expect(rules.access(bearer: nil, cookies: [reading, cookie], now: now) == .act(isOpen: false))
        #expect(rules.cookie(for: "", now: now) == nil)
    }

    @Test("a cookie is found among others, also of the same name, and is the one that was set")
    func parsing() throws {
        let cookie = try #require(rules.cookie(for: AccessTests.token, now: 1_800_000_000))
        let other = "farm_session=read.5.00"
        #expect(
            SessionCookie.all(headers: ["a=b; farm_session=\(cookie.value)", other])
                == SessionCookie.all(headers: ["farm_session=\(cookie.value); a; \(other)"]))
        #expect(SessionCookie.all(headers: ["farm_session=\(cookie.value)"]) == [cookie])
        for text in ["act..5.00", "act.-5.00", "act.5", "root.5.00", "act.5.00.1", "", "act.99999999999999999999.00"] {
            #expect(SessionCookie.all(headers: ["farm_session=\(text)"]) == [], "\(text)")
        }
        let many = String(repeating: other + ";", count: 1000)
        #expect(SessionCookie.all(headers: [many]).count == 8)
    }

    @Test("only a bearer's token is farm's; it may not be wrong, even where none is needed")
    func tokens() {
        #expect(
            AccessRules.bearer(nil) == nil && AccessRules.bearer("Basic abc") == nil && AccessRules.bearer("") == nil)
        #expect(AccessRules.bearer("bearer abc") == "abc" && AccessRules.bearer("Bearer") == "")
        #expect(rules.access(bearer: AccessTests.readToken, cookies: [], now: 0) == .read(isOpen: false))
        let open = AccessRules(token: nil, readToken: nil)
        #expect(open.access(bearer: nil, cookies: [], now: 0) == .act(isOpen: true))
        #expect(open.access(bearer: "wrong", cookies: [], now: 0) == .none)
        #expect(open.access(bearer: "", cookies: [], now: 0) == .none)
    }

    @Test("a host is the one that was set, this machine, or an address; whatever else is put around it is another")
    func hosts() {
        let rule = HostRule(listen: "127.0.0.1", others: ["Farm.example.org"])
        for host in [
            "localhost", "LOCALHOST:8090", "127.0.0.1:1", "192.0.2.1", "[::1]", "[2001:db8::1]:80", "farm.example.ORG",
        ] {
            #expect(rule.allows(host), "\(host)")
        }
        for host in [
            "", ":", "example.org", "x.farm.example.org", "127.0.0.1.example.org", "127.0.0.1@example.org", "[::1]x",
            "[::1",
            "[::1].example.org", "::1", "127.0.0.1:80:80", "127.0.0.1:x", "127.0.0.1\0.example.org", "localhost\u{301}",
            "127.1",
        ] {
            #expect(!rule.allows(host), "\(host)")
        }
        #expect(!rule.allows(nil))
        #expect(rule.isOwn(origin: "http://127.0.0.1:8090", authority: "127.0.0.1:8090"))
        #expect(rule.isOwn(origin: "https://farm.example.org", authority: "127.0.0.1:8090"))
        #expect(!rule.isOwn(origin: "http://127.0.0.1:8091", authority: "127.0.0.1:8090"))
        #expect(!rule.isOwn(origin: "null", authority: "null"))
        #expect(!rule.isOwn(origin: "http://localhost", authority: "127.0.0.1:8090"))
    }
}

@Suite("The page that a login leads to")
struct ReturnPathTests {
    @Test(
        "is one of this site's",
        arguments: [
            "workers", "images", "images?group=a%20b&at=a7", "images/1?order=oldest", "services/c.d",
            "dead/act?act=drop",
        ])
    func ours(text: String) { #expect(ReturnPath(text)?.text == text) }

    @Test(
        "is none that leads anywhere else",
        arguments: [
            "", "/", "//example.org", "/workers", "http://example.org", "javascript:alert(1)", "example.org",
            "workers//x", "images/../../x", "images/%2e%2e/x", "images/.%2E", "images/./x", "images/..", "..",
            "workers\\x", "workers#x", "login", "logout", "events", "images?x=http://a", "workers\r\nX: y",
            "images/" + String(repeating: "a", count: 2000),
        ])
    func others(text: String) { #expect(ReturnPath(text) == nil) }
}
