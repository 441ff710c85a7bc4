/// URLs as text: what goes into a query, and what people may see. They are read byte by byte, as curl reads them: in
/// Swift, a slash with an accent is another character.
enum URLText {
    /// The text with all bytes of its UTF-8 percent-encoded, except the unreserved characters of RFC 3986.
    static func encodedComponent(_ text: String) -> String {
        encoded(text.utf8) { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                true
            default: false
            }
        }
    }

    /// A URL as people write it, with spaces and letters of any script after the authority percent-encoded. What is
    /// encoded already stays as it is.
    static func sendable(_ url: String) -> String {
        let end = authority(of: url)?.endIndex ?? url.startIndex
        return text(url.utf8[..<end]) + encoded(url.utf8[end...]) { $0 > 0x20 && $0 < 0x7f }
    }

    /// `host:port`, without user and password.
    static func place(of url: String) -> String {
        guard let host = hostAndPort(of: url) else { return "no host" }
        let behindBrackets = host.lastIndex(of: UInt8(ascii: "]")).map { host[$0...] } ?? host
        let hasPort = behindBrackets.contains(UInt8(ascii: ":"))
        return Wording.line(text(host) + (hasPort ? "" : scheme(of: url) == "https" ? ":443" : ":80"))
    }

    /// A URL that may be shown: without user, password, query and fragment.
    static func shown(_ url: String) -> String {
        guard let authority = authority(of: url), let host = hostAndPort(of: url) else {
            let at = url.utf8.lastIndex(of: UInt8(ascii: "@"))
            return Wording.line(text(at.map { url.utf8[$0...] } ?? url.utf8[...]), limit: 100)
        }
        let path = url.utf8[authority.endIndex...].prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        return Wording.line("\(scheme(of: url) ?? "")://\(text(host))\(text(path))", limit: 200)
    }

    /// The scheme in lower case. nil if there is none.
    static func scheme(of url: String) -> String? {
        separator(in: url).map { text(url.utf8[..<$0.lowerBound]).lowercased() }
    }

    /// The authority without user and password. nil if there is none.
    static func hostAndPort(of url: String) -> Substring.UTF8View? {
        guard let authority = authority(of: url) else { return nil }
        return authority.lastIndex(of: UInt8(ascii: "@")).map { authority[authority.index(after: $0)...] } ?? authority
    }

    /// The part between `://` and the path, the query or the fragment.
    static func authority(of url: String) -> Substring.UTF8View? {
        separator(in: url).map { url.utf8[$0.upperBound...].prefix { !"/?#".utf8.contains($0) } }
    }

    private static func separator(in url: String) -> Range<String.Index>? {
        url.utf8.firstRange(of: Array("://".utf8))
    }

    private static func text(_ bytes: Substring.UTF8View) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func encoded(_ bytes: some Collection<UInt8>, unless stays: (UInt8) -> Bool) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            if stays(byte) {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "%"), hexadecimal(byte >> 4), hexadecimal(byte & 15)]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}
