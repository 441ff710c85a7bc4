import Glibc

/// The names that this server goes by. A page of another name that leads here by DNS rebinding (Jackson et al., "Protecting
/// Browsers from DNS Rebinding Attacks", 2007) is another site's.
struct HostRule: Sendable {
    /// Lower-case names.
    private let allowed: Set<String>
    /// The hosts of WEB_ALLOWED_HOSTS.
    private let others: Set<String>

    /// - Parameters:
    ///   - listen: the name or address that it listens on.
    ///   - others: WEB_ALLOWED_HOSTS.
    init(listen: String, others: [String]) {
        var own = [CChar](repeating: 0, count: 256)
        gethostname(&own, own.count - 1)
        let machine = String(decoding: own.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        self.others = Set(others.map { $0.lowercased() })
        allowed = Set([listen, "localhost", machine].map { $0.lowercased() }.filter { !$0.isEmpty }).union(self.others)
    }

    /// Whether a request with this `Host` is meant for this server. An address cannot be rebound.
    func allows(_ authority: String?) -> Bool {
        guard let host = authority.flatMap(HostRule.host) else { return false }
        return allowed.contains(host) || HostRule.isAddress(host)
    }

    /// Whether a page of this `Origin` is this server's own. Behind a proxy its name is the proxy's, which WEB_ALLOWED_HOSTS
    /// then has.
    func isOwn(origin: String, authority: String?) -> Bool {
        guard let end = origin.range(of: "://"), let host = HostRule.host(String(origin[end.upperBound...])) else {
            return false
        }
        if let authority, origin[end.upperBound...].lowercased() == authority.lowercased() { return true }
        return others.contains(host)
    }

    /// The name without its port; nil if it is none.
    private static func host(_ authority: String) -> String? {
        let text = authority.lowercased()
        guard text.utf8.count <= 260, text.utf8.allSatisfy(isOfAuthority) else { return nil }
        guard let end = text.firstIndex(of: "]"), text.hasPrefix("[") else {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, !parts[0].isEmpty, isPort(parts.count == 2 ? parts[1] : "") else { return nil }
            return String(parts[0])
        }
        let rest = text[text.index(after: end)...]
        guard rest.isEmpty || rest.hasPrefix(":"), isPort(rest.dropFirst()) else { return nil }
        return String(text[text.index(after: text.startIndex)..<end])
    }

    /// Whether a name, address or port has this byte (RFC 3986, section 3.2.2), as far as browsers send it.
    private static func isOfAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._:[]".utf8.contains(byte)
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isAddress(_ host: String) -> Bool {
        var (v4, v6) = (in_addr(), in6_addr())
        return inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1
    }
}
