import Foundation
import Pictures
import Pipeline
import Testing

@testable import Services

@Suite("URLs of pictures")
struct PictureURLTests {
    private let private_ = ImagePolicy(deniesPrivateURLs: true)

    @Test(
        "Only http and https are used, whatever the policy",
        arguments: [
            "file:///etc/passwd", "ftp://h/a", "/etc/passwd", "", "gopher://x/_", "data:image/png,x", "http:/x",
            "http://",
            " http://a/b", "http://a b/", "http://a\0b/", "http://a\r\nHost: b/", "jar:http://a!/",
            "dict://127.0.0.1:11211/",
        ])
    func schemes(_ url: String) {
        #expect(PictureURL.refusal(of: url, by: ImagePolicy()) == "it is no http or https URL")
    }

    @Test(
        "Private hosts are used unless the policy denies them; then in no spelling",
        arguments: [
            "127.0.0.1", "127.1", "0x7f.1", "0X7F000001", "2130706433", "017700000001", "0177.0.0.01", "0", "0.0.0.0",
            "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.122", "100.64.0.1", "169.254.169.254", "224.0.0.1",
            "255.255.255.255", "198.18.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
            "[fe80::1]", "[fe80::1%25eth0]", "[fd00::1]", "[fec0::1]", "[ff02::1]", "[64:ff9b::127.0.0.1]",
            "[64:ff9b:1::1]", "[2001:db8::1]", "[2002:7f00:1::]", "[2001:0:1::1]", "localhost", "LOCALHOST.",
            "a.localhost",
            "nas", "nas.local", "nas.lan", "db.internal", "printer.home.arpa", "127.0.0.1.", "%31%32%37.0.0.1",
            "①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1", "local\u{AD}host", "１２７.0.0.1", "user:word@127.0.0.1",
            "example.com@127.0.0.1", "127.0.0.1:8080", "[::1]:8080",
        ])
    func privateHosts(_ host: String) {
        for url in [
            "http://\(host)/a.jpg", "HTTPS://\(host)", "http://\(host)?x=@example.com", "http://\(host)#@1.1.1.1/",
        ] {
            #expect(PictureURL.refusal(of: url, by: ImagePolicy()) == nil, "\(url)")
            #expect(PictureURL.refusal(of: url, by: private_) != nil, "\(url)")
        }
    }

    @Test(
        "Public hosts are used under either policy",
        arguments: [
            "example.com", "images.cocodataset.org", "1.1.1.1", "172.32.0.1", "172.15.0.1", "192.169.0.1",
            "100.128.0.1",
            "[2606:4700:4700::1111]", "[64:ff9b::1.1.1.1]", "[::ffff:1.1.1.1]", "bücher.example",
            "user@example.com:8080",
            "local.example.com", "127.0.0.1.example.com",
        ])
    func publicHosts(_ host: String) {
        #expect(PictureURL.refusal(of: "http://\(host)/a.jpg", by: private_) == nil)
        #expect(PictureURL.refusal(of: "https://\(host)/a.jpg", by: ImagePolicy()) == nil)
    }

    @Test(
        "A host that programs could read in two ways is refused where it matters",
        arguments: [
            "http://example.com\\@127.0.0.1/", "http://127.0.0.1\\.example.com/",
            "http://127.0.0.1/\u{301}@example.com/", "http://a%7Fb.example/", "http://a%20b.example/",
            "http://a%zz%6cb.example/",
            "http://a%25b.example/",
        ])
    func ambiguous(_ url: String) {
        #expect(PictureURL.refusal(of: url, by: private_) != nil)
    }
}
