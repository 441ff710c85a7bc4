/// Accepts a host: a name or an IP address. No part of a URL is accepted, since it may contain a password.
enum HostName {
    static let requirement = "must be a host name or an IP address, without a scheme, user or port"

    /// The host; an IPv6 address loses its brackets. nil if it is none.
    static func parse(_ text: String) -> String? {
        let text = text.trimmed
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = String(text.dropFirst().dropLast())
            return isIPv6(inner) ? inner : nil
        }
        return text.contains(":") ? (isIPv6(text) ? text : nil) : (isName(text) ? text : nil)
    }

    private static func isName(_ text: String) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let full = labels.last?.isEmpty == true && labels.count > 1 ? labels.dropLast() : labels[...]
        return text.utf8.count <= 253 && full.allSatisfy { (1...63).contains($0.count) && $0.allSatisfy(\.isNamePart) }
    }

    /// Hexadecimal groups and colons, perhaps with an IPv4 tail and a zone. The resolver judges the rest.
    private static func isIPv6(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "%"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, address.count <= 45 else { return false }
        guard address.filter({ $0 == UInt8(ascii: ":") }).count >= 2 else { return false }
        let zone = parts.count == 2 ? parts[1] : nil
        return address.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
            && (zone.map { (1...15).contains($0.count) && $0.allSatisfy(\.isNamePart) } ?? true)
    }
}
