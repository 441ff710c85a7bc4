/// URLs as text: what goes into a query, and what may be told to people.
enum URLText {
    /// Everything but the unreserved characters of RFC 3986 percent-encoded, byte by byte of its UTF-8.
    static func encodedComponent(_ text: String) -> String {
        encoded(text) { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                true
            default: false
            }
        }
    }

    /// A URL as people write it, with spaces and letters of any script percent-encoded behind the authority; what is
    /// encoded already stays.
    static func sendable(_ url: String) -> String {
        let end = authority(of: url)?.endIndex ?? url.startIndex
        return url[..<end] + encoded(String(url[end...])) { $0 > 0x20 && $0 < 0x7f }
    }

    /// `host:port`, without user and password.
    static func place(of url: String) -> String {
        guard let authority = authority(of: url) else { return "no host" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let behindBrackets = host.lastIndex(of: "]").map { host[$0...] } ?? host
        if behindBrackets.contains(":") { return Wording.line(String(host)) }
        return Wording.line(host + (scheme(of: url) == "https" ? ":443" : ":80"))
    }

    /// A URL as it may be shown: without user, password, query and fragment.
    static func shown(_ url: String) -> String {
        guard let authority = authority(of: url) else {
            return Wording.line(url.lastIndex(of: "@").map { url[$0...] } ?? url[...], limit: 100)
        }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let path = url[authority.endIndex...].prefix { $0 != "?" && $0 != "#" }
        return Wording.line("\(scheme(of: url) ?? "")://\(host)\(path)", limit: 200)
    }

    /// In lower case; nil where there is none.
    static func scheme(of url: String) -> String? {
        url.range(of: "://").map { url[..<$0.lowerBound].lowercased() }
    }

    private static func authority(of url: String) -> Substring? {
        url.range(of: "://").map { url[$0.upperBound...].prefix { !"/?#".contains($0) } }
    }

    private static func encoded(_ text: String, unless stays: (UInt8) -> Bool) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count * 2)
        for byte in text.utf8 {
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
