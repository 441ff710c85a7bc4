/// The page that somebody asked for before they were logged in: a way from the root of this site to one of its pages,
/// with its query. Anything else is none, or a link could lead from our login to another site.
struct ReturnPath: Sendable, Equatable {
    /// The first parts of the paths of pages.
    private static let pages: Set<String> = ["workers", "images", "dead", "quality", "audit", "services"]
    private static let longest = 2000

    /// Without a slash at its beginning.
    let text: String

    init?(_ text: String) {
        guard text.utf8.count <= ReturnPath.longest, text.utf8.allSatisfy(ReturnPath.isHarmless) else { return nil }
        let path = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, ReturnPath.pages.contains(String(first)),
            parts.allSatisfy({ ReturnPath.isName($0) })
        else { return nil }
        self.text = text
    }

    /// Neither a scheme nor a host can be written without the others.
    private static func isHarmless(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._~%/?&=+".utf8.contains(byte)
        }
    }

    /// Browsers take an encoded dot for a dot, and climb by two of them.
    private static func isName(_ part: Substring) -> Bool {
        let dotted = part.lowercased().replacing("%2e", with: ".")
        return !["", ".", ".."].contains(dotted)
    }
}
