import Foundation

/// The URL at which a service finds the files below a folder: `--url-prefix`.
package struct URLPrefix: Sendable {
    /// Why a prefix cannot be used.
    package struct Fault: Error {
        package let message: String
    }

    /// `+` is allowed in a path, but many servers read it as a space. A slash only separates.
    private static let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "/+"))

    /// The prefix without a slash at its end.
    private let base: String

    /// - Throws: `Fault` if it is not an http or https URL, or has a query.
    package init(_ text: String) throws(Fault) {
        guard ImageList.isURL(text) else {
            throw Fault(message: "must be an http or https URL, is \(text)")
        }
        guard !text.contains("?"), !text.contains("#") else {
            throw Fault(message: "a path is added to it, so it must not contain ? or #, is \(text)")
        }
        var base = Substring(text)
        while base.hasSuffix("/") { base.removeLast() }
        self.base = String(base)
    }

    /// - Parameter path: a relative path.
    func url(of path: String) -> String {
        let parts = path.split(separator: "/").map(String.init)
        return ([base] + parts.map { $0.addingPercentEncoding(withAllowedCharacters: URLPrefix.allowed) ?? $0 })
            .joined(separator: "/")
    }
}
