import Doubles
import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Services

@Suite("Picture fetcher")
struct PictureFetcherTests {
    private func fault(_ url: String) async -> PictureFault? {
        do {
            _ = try await HTTPClient().fetch(url)
            return nil
        } catch { return error }
    }

    @Test("The bytes come, over redirections, from URLs with spaces and letters of any script")
    func fetched() async throws {
        let server = try MisbehavingServer {
            $0.path == "/old"
                ? .json("", status: 302, headers: ["Location": "/new"]) : .answer(200, Array($0.target.utf8))
        }
        let base = "http://127.0.0.1:\(server.port)"
        #expect(try await HTTPClient().fetch(base + "/old") == Array("/new".utf8))
        #expect(try await HTTPClient().fetch(base + "/ü a.jpg?x=1") == Array("/%C3%BC%20a.jpg?x=1".utf8))
    }

    @Test("Another status is an image fault that names it, without the URL's secrets")
    func missing() async throws {
        let server = try MisbehavingServer { _ in .json("", status: 404) }
        let fault = try #require(await fault("http://me:secret@127.0.0.1:\(server.port)/a.jpg?token=secret"))
        #expect(fault.message == "http://127.0.0.1:\(server.port)/a.jpg answered 404")
        #expect(fault.toldToStrangers == "it was not fetched, or is no image")
        #expect(server.requests.first?.headers["authorization"] != nil)
    }

    @Test("More than 64 MiB is too large")
    func tooLarge() async throws {
        let server = try MisbehavingServer { _ in
            .garbage(Array("HTTP/1.1 200 OK\r\nContent-Length: \((64 << 20) + 1)\r\n\r\n".utf8))
        }
        #expect(await fault("http://127.0.0.1:\(server.port)/")?.kind == .tooLarge)
    }

    @Test("Endless redirections, a refused connection and a cut answer are image faults")
    func unreachable() async throws {
        let endless = try MisbehavingServer { _ in .json("", status: 301, headers: ["Location": "/again"]) }
        #expect(await fault("http://127.0.0.1:\(endless.port)/")?.kind == .image)
        #expect(endless.requests.count == 6)
        let absent = try MisbehavingServer(listening: false)
        let refused = try #require(await fault("http://127.0.0.1:\(absent.port)/a.jpg"))
        #expect(refused.message == "http://127.0.0.1:\(absent.port)/a.jpg was not fetched: connection refused")
        #expect(refused.toldToStrangers == "it was not fetched, or is no image")
        let cut = try MisbehavingServer { _ in .cutShort(promised: 10, [1]) }
        #expect(await fault("http://127.0.0.1:\(cut.port)/a.jpg")?.kind == .image)
    }

    @Test(
        "What may pass is told from what is final, with the host and what it asks to wait",
        arguments: [408, 425, 429, 500, 503])
    func passing(status: Int) async throws {
        let server = try MisbehavingServer { _ in .json("", status: status, headers: ["Retry-After": "7"]) }
        let host = "http://127.0.0.1:\(server.port)"
        #expect(
            await fault("http://me:secret@127.0.0.1:\(server.port)/a.jpg")?.absence
                == PictureAbsence(source: host, isOfSource: false, retryAfter: .seconds(7)))
        #expect(HTTPClient().source(of: host + "/a/b.jpg?c") == host)
        #expect(await HTTPClient().answers(host) == (status < 500))
    }

    @Test("A picture that the host does not have, or does not give, is final", arguments: [400, 401, 403, 404, 410])
    func final(status: Int) async throws {
        let server = try MisbehavingServer { _ in .json("", status: status) }
        let fault = try #require(await fault("http://127.0.0.1:\(server.port)/a.jpg"))
        #expect(fault.absence == nil)
        #expect(await HTTPClient().answers("http://127.0.0.1:\(server.port)"))
    }

    @Test("A host that cannot be connected to is away; one that breaks off has stumbled; what is no URL is neither")
    func absences() async throws {
        let absent = try MisbehavingServer(listening: false)
        let host = "http://127.0.0.1:\(absent.port)"
        #expect(await fault(host + "/a.jpg")?.absence == PictureAbsence(source: host, isOfSource: true))
        #expect(await HTTPClient().answers(host) == false)
        let cut = try MisbehavingServer { _ in .cutShort(promised: 10, [1]) }
        #expect(await fault("http://127.0.0.1:\(cut.port)/a.jpg")?.absence?.isOfSource == false)
        let nameless = try #require(await fault("http://no-such-host.invalid/a.jpg"))
        #expect(nameless.absence == PictureAbsence(source: "http://no-such-host.invalid:80", isOfSource: true))
        for url in ["http://[::1/a.jpg", "ftp://host/a.jpg"] { #expect(await fault(url)?.absence == nil, "\(url)") }
        let endless = try MisbehavingServer { _ in .json("", status: 301, headers: ["Location": "/again"]) }
        #expect(await fault("http://127.0.0.1:\(endless.port)/")?.absence == nil)
    }

    @Test(
        "Only http and https are fetched, also behind a redirection",
        arguments: ["file:///etc/passwd", "ftp://h/a", "/etc/passwd", "", "gopher://x", "data:image/png,x"])
    func schemes(url: String) async throws {
        #expect(await fault(url)?.kind == .image)
        let server = try MisbehavingServer { _ in .json("", status: 302, headers: ["Location": url]) }
        if url.contains(":") { #expect(await fault("http://127.0.0.1:\(server.port)/")?.kind == .image) }
    }

    @Test(
        "A server of another scheme is not even asked, be it named or redirected to",
        arguments: ["ftp", "gopher", "dict"])
    func otherServers(scheme: String) async throws {
        let other = try MisbehavingServer { _ in .answer(200, [1]) }
        let url = "\(scheme)://127.0.0.1:\(other.port)/a.jpg"
        #expect(await fault(url)?.kind == .image)
        // Beneath what looks at the URL first.
        let request = HTTPRequest(url: url, timeout: .seconds(10), bodyLimit: 10)
        await #expect(throws: HTTPFault.self) { try await HTTPClient().perform(request) }
        let server = try MisbehavingServer { _ in .json("", status: 302, headers: ["Location": url]) }
        #expect(await fault("http://127.0.0.1:\(server.port)/")?.kind == .image)
        #expect(server.requests.count == 1)
        #expect(other.connections == 0)
    }

    @Test("What the host has packed, though nobody asked for it, is unpacked")
    func unpacked() async throws {
        let photo = Array("a photo, as it is".utf8)
        let packed: [(encoding: String, bytes: [UInt8])] = [
            ("gzip", Packing.gzip(photo)), ("x-gzip", Packing.gzip(photo)), ("deflate", Packing.zlib(photo)),
            ("deflate", Packing.stored(photo)), ("identity", photo), ("gzip, gzip", Packing.gzip(Packing.gzip(photo))),
        ]
        for (encoding, bytes) in packed {
            let server = try MisbehavingServer { _ in .answer(200, bytes, headers: ["Content-Encoding": encoding]) }
            #expect(try await HTTPClient().fetch("http://127.0.0.1:\(server.port)/a.jpg") == photo, "\(encoding)")
            #expect(server.requests.first?.headers["accept-encoding"] == "identity")
        }
    }

    @Test(
        "An encoding that is none, or was not applied, is ignored; one that is broken is a fault",
        arguments: [
            "aws-chunked", "utf-8", "gzip", "deflate",
        ])
    func mislabelled(encoding: String) async throws {
        let photo = [0xFF, 0xD8, 0xFF] + Array("a photo".utf8)
        let server = try MisbehavingServer { _ in .answer(200, photo, headers: ["Content-Encoding": encoding]) }
        #expect(try await HTTPClient().fetch("http://127.0.0.1:\(server.port)/a.jpg") == photo)
        // A block of a type that there is not.
        let broken = Packing.gzip(photo).prefix(10) + [0x07] + photo
        let breaking = try MisbehavingServer { _ in
            .answer(200, Array(broken), headers: ["Content-Encoding": "gzip"])
        }
        let fault = try #require(await fault("http://127.0.0.1:\(breaking.port)/a.jpg"))
        #expect(fault.kind == .image)
        #expect(fault.absence?.isOfSource == false)
    }

    @Test("What unpacks to more than 64 MiB is too large, however small it comes")
    func bomb() async throws {
        // 70 MiB of zeros, packed twice.
        let text =
            "H4sIAAAAAAACA+3cIU4DURSG0dfphDQIKAIDoiTdRE0TmiZoBOjCAki6gzZpUJiqKvZQhUKBYge0KBZAEAgUYWBmGe+eo56+8s/L17vr"
            + "pFrR/nhqtf4f8+Xv+rOzmwAAAIDMzbeLdj0GpJPq9ez8EgAAAMjd9f5e2YwCP5PjkXMAAABA9m6Hg27zQ+BrdlM6BwAAAGTv8Pv9tNkC"
            + "XqqHgwv3AAAAgOxtBAMAAAAgFMEAAAAAiEUwAAAAAGIRDAAAAIBgBAMAAAAgFsEAAAAAiEUwAAAAAGIRDAAAAIBgBAMAAAAgFsEAAAAA"
            + "iEUwAAAAAGIRDAAAAIBg3hbjot4CRtXk8XknAZCX+2J11J+mdFX+AVwn7+XMFgEA"
        let bomb = [UInt8](try #require(Data(base64Encoded: text)))
        let server = try MisbehavingServer { _ in .answer(200, bomb, headers: ["Content-Encoding": "gzip, gzip"]) }
        let fault = try #require(await fault("http://127.0.0.1:\(server.port)/a.jpg"))
        #expect(fault.kind == .tooLarge)
        #expect(fault.message.contains("over 64 MiB"))
        #expect(fault.absence == nil)
    }
}

/// Bytes packed without being compressed.
private enum Packing {
    /// One stored block (RFC 1951, 3.2.4).
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        [1] + little(bytes.count, 2) + little(~bytes.count & 0xFFFF, 2) + bytes
    }

    /// RFC 1950.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var (a, b) = (1, 0)
        for byte in bytes {
            a = (a + Int(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return [0x78, 0x01] + stored(bytes) + little(b << 16 | a, 4).reversed()
    }

    /// RFC 1952.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        let checksum = ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 0 ? sum >> 1 : 0xEDB8_8320 ^ sum >> 1 }
        }
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + stored(bytes) + little(Int(checksum), 4) + little(bytes.count, 4)
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
