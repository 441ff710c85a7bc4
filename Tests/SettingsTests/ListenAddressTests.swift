import Testing

@testable import Settings

@Suite("METRICS_LISTEN")
struct ListenAddressTests {
    static let good: [(String, ListenAddress)] = [
        ("9464", ListenAddress(host: "127.0.0.1", port: 9464)), (" 0 ", ListenAddress(host: "127.0.0.1", port: 0)),
        ("0.0.0.0:65535", ListenAddress(host: "0.0.0.0", port: 65_535)), ("k3:80", ListenAddress(host: "k3", port: 80)),
        ("[::1]:9464", ListenAddress(host: "::1", port: 9464)), ("[::]:1", ListenAddress(host: "::", port: 1)),
    ]

    @Test("is a port, on loopback, or HOST:PORT", arguments: good)
    func parsing(_ text: String, _ address: ListenAddress) throws {
        #expect(try settings(["METRICS_LISTEN": text]).metricsListen == address)
    }

    @Test("is nowhere unless set")
    func unset() throws {
        #expect(try settings([:]).metricsListen == nil)
        #expect(try settings(["METRICS_LISTEN": ""]).metricsListen == nil)
    }

    @Test(
        "is refused, without its value, when it is neither",
        arguments: [
            "65536", "-1", "+9", "９", "x", ":9464", "*:9464", "localhost", "localhost:", "localhost:http", "::1:9464",
            "http://k3:9464", "k3:9464/metrics", "user:secret@k3:9464", "[::1]", "[k3]:9464", "1:2:3", "000009464",
        ])
    func refusal(_ text: String) throws {
        let fault = #expect(throws: SettingsFault.self) { try settings(["METRICS_LISTEN": text]) }
        #expect(fault?.faults == ["METRICS_LISTEN: " + ListenAddress.requirement])
    }

    @Test("is written as in a URL")
    func description() {
        #expect(ListenAddressTests.good.map { "\($0.1)" }.last == "[::]:1")
        #expect("\(ListenAddress(host: "k3", port: 80))" == "k3:80")
    }
}
