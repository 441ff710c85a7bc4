import Doubles
import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Roles

@Suite("The picture desk")
struct PictureDeskTests {
    private let time = ManualTime()
    private let gallery = Gallery()
    private let host = "http://nas"

    private func loader(delay: Duration = .zero) -> PictureLoader {
        PictureLoader(
            cropper: gallery, fetcher: gallery, tries: PictureTries(limit: 3, delay: delay), time: time,
            randomness: { 1 }, log: Bench.log)
    }

    /// What a fetch comes to: `had`, `failed 3`, `later`.
    private func fetch(_ loader: PictureLoader, _ url: String) async -> String {
        do throws(PictureTrouble) {
            _ = try await loader.fetch(url, heldSince: time.now())
            return "had"
        } catch {
            switch error {
            case .failed(_, let tries): return "failed \(tries)"
            case .later: return "later"
            case .cancelled: return "cancelled"
            }
        }
    }

    private func asked(_ text: String) -> Int { gallery.asked.count { $0 == text } }

    @Test("tries a passing fault again, as often as a service, and waits longer each time")
    func again() async throws {
        let loader = loader(delay: .seconds(5))
        gallery.fail("http://nas/1.jpg", [.stumble(host), .stumble(host)])
        let fetched = Task { await fetch(loader, "http://nas/1.jpg") }
        await time.sleepers(1)
        time.advance(by: .seconds(5))
        await time.sleepers(1)
        time.advance(by: .seconds(9))
        #expect(asked("http://nas/1.jpg") == 2)
        time.advance(by: .seconds(1))
        #expect(await fetched.value == "had")
        #expect(loader.outages().isEmpty)
    }

    @Test("gives up one picture after all tries, and what is final at once")
    func gaveUp() async throws {
        let loader = loader()
        gallery.fail("http://nas/1.jpg", Array(repeating: .stumble(host), count: 9))
        #expect(await fetch(loader, "http://nas/1.jpg") == "failed 3")
        gallery.set("http://nas/2.jpg", .gone)
        #expect(await fetch(loader, "http://nas/2.jpg") == "failed 0")
        #expect(asked("http://nas/2.jpg") == 1)
        #expect(await fetch(loader, "http://nas/3.jpg") == "had")
    }

    @Test("waits a Retry-After out; a long one pauses the host, and nothing is asked meanwhile")
    func retryAfter() async throws {
        let loader = loader(delay: .seconds(5))
        gallery.fail("http://nas/1.jpg", [.stumble(host, retryAfter: .seconds(20))])
        let fetched = Task { await fetch(loader, "http://nas/1.jpg") }
        await time.sleepers(1)
        time.advance(by: .seconds(20))
        #expect(asked("http://nas/1.jpg") == 1, "and a tenth more")
        time.advance(by: .seconds(2))
        #expect(await fetched.value == "had")

        gallery.fail("http://nas/2.jpg", [.stumble(host, retryAfter: .seconds(600))])
        #expect(await fetch(loader, "http://nas/2.jpg") == "later")
        time.advance(by: .seconds(599))
        #expect(await fetch(loader, "http://nas/3.jpg") == "later")
        #expect(await fetch(loader, "http://other/3.jpg") == "had")
        #expect(asked("http://nas/3.jpg") == 0)
        time.advance(by: .seconds(2))
        #expect(await fetch(loader, "http://nas/2.jpg") == "had")
        #expect(await fetch(loader, "http://nas/3.jpg") == "had")
    }

    @Test("leaves a host alone that cannot be reached, counts nothing, and asks for its front page before a picture")
    func hostAway() async throws {
        let loader = loader()
        gallery.set(host, .away(host))
        gallery.silence(host, true)
        #expect(await fetch(loader, "http://nas/1.jpg") == "later")
        for second in 0..<3600 {
            time.advance(by: .seconds(1))
            #expect(await fetch(loader, "http://nas/\(second).jpg") == "later")
            #expect(await fetch(loader, "http://other/\(second).jpg") == "had")
        }
        #expect(gallery.asked.count { $0.hasPrefix("http://nas/") } == 1)
        #expect((3600 / 16...3600 / 14).contains(asked(host)), "\(asked(host)) probes: at most 15 s apart")
        #expect(loader.outages() == ["pictures of http://nas": "http://nas is not there"])

        gallery.set(host, nil)
        gallery.silence(host, false)
        time.advance(by: .seconds(15))
        #expect(await fetch(loader, "http://nas/1.jpg") == "had")
        #expect(await fetch(loader, "http://nas/2.jpg") == "had")
        #expect(loader.outages().isEmpty)
    }

    @Test(
        "takes five pictures in a row that fail for the host's fault, also one that says 503 to everything for an hour")
    func fiveInARow() async throws {
        let loader = loader(delay: .seconds(5))
        gallery.set(host, .stumble(host))
        gallery.silence(host, true)
        let fetches = Task {
            await withTaskGroup(of: String.self) { group in
                for number in 1...5 { group.addTask { await fetch(loader, "http://nas/\(number).jpg") } }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        await time.sleepers(4)
        time.advance(by: .seconds(5))
        #expect(await fetches.value == Array(repeating: "later", count: 5))
        for _ in 0..<360 {
            time.advance(by: .seconds(10))
            for number in 1...10 { #expect(await fetch(loader, "http://nas/\(number).jpg") == "later") }
        }
    }

    @Test("gives one picture at a time a chance, and gives up one that fails while its host answers")
    func trial() async throws {
        let loader = loader()
        gallery.set(host, .away(host))
        #expect(await fetch(loader, "http://nas/1.jpg") == "later")
        gallery.set(host, nil)
        gallery.set("http://nas/1.jpg", .stumble(host))
        var ends: [String] = []
        for _ in 1...3 {
            time.advance(by: .seconds(16))
            ends.append(await fetch(loader, "http://nas/1.jpg"))
            #expect(await fetch(loader, "http://nas/2.jpg") == "later")
        }
        #expect(ends == ["later", "later", "failed 3"])
        time.advance(by: .seconds(16))
        #expect(await fetch(loader, "http://nas/2.jpg") == "had")
    }

    @Test("leaves a folder alone that is not mounted, with all below, and no other one")
    func folderAway() async throws {
        let loader = loader()
        @Sendable func look(_ path: String) async -> String {
            do throws(PictureTrouble) {
                _ = try await loader.file(path, heldSince: time.now()) { () async throws(PictureFault) in
                    try await gallery.inspect(.file(path))
                }
                return "had"
            } catch {
                if case .later = error { return "later" } else { return "failed" }
            }
        }
        gallery.set("/mnt/nas/", .away("/mnt/nas"))
        #expect(await look("/mnt/nas/a/1.jpg") == "later")
        #expect(await look("/mnt/nas/b/2.jpg") == "later")
        #expect(await look("/mnt/nas2/b/2.jpg") == "had")
        #expect(asked("/mnt/nas/b/2.jpg") == 0)
        gallery.set("/mnt/nas/", nil)
        time.advance(by: .seconds(1))
        #expect(await look("/mnt/nas/b/2.jpg") == "had")
        #expect(await look("/mnt/nas/a/1.jpg") == "had")
    }

    @Test("holds no job for long: tries that would take longer are made later, and count on")
    func patience() async throws {
        let loader = loader(delay: .seconds(60))
        gallery.set("http://nas/1.jpg", .stumble(host))
        let first = Task { await fetch(loader, "http://nas/1.jpg") }
        await time.sleepers(1)
        time.advance(by: .seconds(60))
        #expect(await first.value == "later")
        #expect(asked("http://nas/1.jpg") == 2)
        #expect(await fetch(loader, "http://nas/1.jpg") == "failed 3")
    }
}
