import Foundation
import Pictures
import Pipeline
import Testing
import Waiting

@testable import Services

@Suite("Texts, slots and the book of tries")
struct SmallPartsTests {
    @Test("Everything but the unreserved characters is percent-encoded")
    func encoding() {
        #expect(URLText.encodedComponent("aZ09-._~") == "aZ09-._~")
        #expect(URLText.encodedComponent("a&b#c+d%e f") == "a%26b%23c%2Bd%25e%20f")
        #expect(URLText.encodedComponent("ü🙂/?=:") == "%C3%BC%F0%9F%99%82%2F%3F%3D%3A")
    }

    @Test("A picture's URL may hold spaces and letters of any script behind its host")
    func sendable() {
        #expect(URLText.sendable("http://a/b c/ü.jpg?q=%20x y") == "http://a/b%20c/%C3%BC.jpg?q=%20x%20y")
        #expect(URLText.sendable("http://a") == "http://a")
    }

    @Test("What is shown of a URL holds neither password nor query")
    func shown() {
        #expect(URLText.shown("https://me:secret@host:8/a/b.jpg?token=1#x") == "https://host:8/a/b.jpg")
        #expect(URLText.place(of: "https://me:secret@host/a") == "host:443")
        #expect(URLText.place(of: "http://[::1]:80/a") == "[::1]:80")
        #expect(URLText.place(of: "http://[::1]/a") == "[::1]:80")
        #expect(!URLText.shown("me:secret@host").contains("secret"))
    }

    @Test("A service's host may be an IPv6 address, with or without brackets, also with a zone")
    func addresses() throws {
        #expect(ServiceEndpoint(name: "a", host: "::1", port: 1).healthURL == "http://[::1]:1/health")
        #expect(ServiceEndpoint(name: "a", host: "[::1]", port: 1, health: "h").healthURL == "http://[::1]:1/h")
        #expect(
            ServiceEndpoint(name: "a", host: "fe80::1%eth0", port: 1).healthURL == "http://[fe80::1%25eth0]:1/health")
        let withQuery = ServiceEndpoint(name: "a", host: "h", port: 1, endpoint: "v1?model=x")
        let request = try withQuery.request(.url("http://u/"), ImagePolicy())
        #expect(request.url == "http://h:1/v1?model=x&url=http%3A%2F%2Fu%2F")
    }

    @Test("Foreign text becomes one line, cut")
    func lines() {
        #expect(Wording.line("a\nb\u{0}c\u{2028}d") == "a b c d")
        #expect(Wording.line("e" + String(repeating: "\u{301}", count: 1000)).unicodeScalars.count == 501)
        #expect(Wording.seconds(.milliseconds(200)) == "0.2 s")
        #expect(Wording.seconds(.seconds(30)) == "30 s")
    }

    @Test("The media type follows the bytes, then the name")
    func mediaTypes() {
        #expect(MediaType.of([0xff, 0xd8, 0xff, 0xe0], filename: "a.png") == "image/jpeg")
        #expect(MediaType.of("RIFF....WEBP".utf8, filename: "a") == "image/webp")
        #expect(MediaType.of([], filename: "a.PNG") == "image/png")
        #expect(MediaType.of([1, 2], filename: "a.") == "application/octet-stream")
    }

    private func take(_ slots: Slots, at now: Date = Date(), within limit: Duration = .seconds(60)) async -> Bool {
        await slots.take(at: now, within: limit, unless: { false })
    }

    @Test("Slots become more for those who wait, and fewer when they come back")
    func resized() async throws {
        let slots = Slots(1)
        #expect(slots.takeFree())
        async let first = take(slots)
        async let second = take(slots)
        while slots.waiting < 2 { await Task.yield() }
        slots.resize(to: 3)
        #expect(await first)
        #expect(await second)
        #expect(!slots.takeFree())
        slots.resize(to: 1)
        for _ in 1...2 {
            slots.giveBack(at: Date())
            #expect(!slots.takeFree(), "two of three are gone")
        }
        slots.giveBack(at: Date())
        #expect(slots.takeFree())
        #expect(slots.areInUse)
    }

    @Test("Slots go to who came first, and one that was cancelled does not keep any")
    func slots() async throws {
        let slots = Slots(1)
        #expect(slots.takeFree())
        #expect(!slots.takeFree())
        let cancelled = Task { await take(slots) }
        cancelled.cancel()
        #expect(await cancelled.value == false)
        async let waiting = take(slots)
        while slots.waiting == 0 { await Task.yield() }
        slots.giveBack(at: Date())
        #expect(await waiting)
        #expect(!slots.takeFree())
        slots.giveBack(at: Date())
        #expect(await take(slots))
        #expect(!slots.takeFree())
    }

    @Test("Who waited for too long is turned away when a slot is given back, and it goes to the next")
    func lateSlot() async {
        let slots = Slots(1)
        #expect(slots.takeFree())
        let now = Date()
        async let early = take(slots, at: now, within: .seconds(10))
        while slots.waiting < 1 { await Task.yield() }
        async let late = take(slots, at: now, within: .seconds(5))
        while slots.waiting < 2 { await Task.yield() }
        async let last = take(slots, at: now, within: .seconds(20))
        while slots.waiting < 3 { await Task.yield() }
        slots.giveBack(at: now.addingTimeInterval(7))
        #expect(await early)
        #expect(await late == false)
        slots.giveBack(at: now.addingTimeInterval(20))
        #expect(await last)
    }

    @Test("A clock that is set back keeps nobody waiting for longer")
    func setBack() async {
        let slots = Slots(1)
        #expect(slots.takeFree())
        let now = Date()
        async let waiting = take(slots, at: now)
        while slots.waiting == 0 { await Task.yield() }
        slots.giveBack(at: now.addingTimeInterval(-3600))
        #expect(await waiting == false)
        #expect(slots.takeFree())
    }

    @Test("Who is turned away or refused has no slot, and none is lost")
    func turnedAway() async {
        let slots = Slots(1)
        #expect(slots.takeFree())
        async let first = take(slots)
        async let second = take(slots)
        while slots.waiting < 2 { await Task.yield() }
        slots.turnAway()
        #expect(await first == false)
        #expect(await second == false)
        #expect(await slots.take(at: Date(), within: .seconds(60), unless: { true }) == false)
        slots.giveBack(at: Date())
        #expect(slots.takeFree())
    }

    @Test("The book remembers a bounded number of jobs, and forgets the one that failed longest ago")
    func book() {
        var book = RetryLedger(limit: 3)
        let keys = (0..<4).map { _ in UUID() }
        for (index, key) in keys.enumerated() {
            book[key] = RetryLedger.Entry(tries: index + 1, firstFailure: Date(timeIntervalSince1970: Double(index)))
        }
        #expect(book.count == 3)
        #expect(book[keys[0]] == RetryLedger.Entry())
        #expect(book[keys[3]].tries == 4)
        book[keys[3]] = RetryLedger.Entry()
        #expect(book.count == 2)
    }
}
