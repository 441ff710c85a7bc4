import Foundation
import Pictures
import Pipeline

/// Which URLs of images may be used at all. The address of a host is known only when a connection is made: see
/// ``HTTPClient``.
enum PictureURL {
    /// Why a URL is not used, as the end of a sentence. nil if it may be used.
    static func refusal(of url: String, by policy: ImagePolicy) -> String? {
        guard let scheme = URLText.scheme(of: url), scheme == "http" || scheme == "https",
            let authority = URLText.authority(of: url), !authority.isEmpty,
            !authority.contains(where: { $0 <= 0x20 || $0 == 0x7F })
        else { return "it is no http or https URL" }
        guard policy.deniesPrivateURLs else { return nil }
        guard let host = host(of: url) else { return "it names no host" }
        // Programs disagree on where a host ends if a backslash precedes, and on how to read a percent sign without two
        // digits after it, or one that decodes to a control character.
        guard !authority.contains(UInt8(ascii: "\\")),
            !host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "%") })
        else { return "its host can be read in two ways" }
        let isPrivate = NetworkAddress(literal: host).map { !$0.isPublic } ?? isPrivateName(host)
        return isPrivate ? "its host is private, which DENY_PRIVATE_IMAGE_URLS refuses" : nil
    }

    /// The host without its port and brackets, in the form in which programs look it up: percent-decoded, compatibility
    /// forms of letters and digits folded, in lower case, without a dot at its end.
    private static func host(of url: String) -> String? {
        guard let hostAndPort = URLText.hostAndPort(of: url) else { return nil }
        if hostAndPort.first == UInt8(ascii: "[") {
            return String(decoding: hostAndPort.dropFirst().prefix { $0 != UInt8(ascii: "]") }, as: UTF8.self)
        }
        let name = String(decoding: hostAndPort.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
        let decoded = (name.removingPercentEncoding ?? name).precomposedStringWithCompatibilityMapping.lowercased()
        var folded = String.UnicodeScalarView()
        for scalar in decoded.unicodeScalars where !scalar.properties.isDefaultIgnorableCodePoint {
            folded.append(scalar == "\u{3002}" ? "." : scalar)
        }
        while folded.last == "." { folded.removeLast() }
        return folded.isEmpty ? nil : String(folded)
    }

    /// Names that mean this machine or this network wherever they are looked up (RFC 6761, 6762, 8375), and names
    /// without a dot, which only this network knows.
    private static func isPrivateName(_ host: String) -> Bool {
        guard host.contains(".") else { return true }
        return ["localhost", "localdomain", "local", "internal", "home.arpa", "lan", "intranet"].contains {
            host.hasSuffix("." + $0)
        }
    }
}
