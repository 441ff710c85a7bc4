import Foundation
import Model

/// The meaning of a path in a list.
enum ListedPath: Equatable {
    /// Schemes that are recognised even without `//`. Any other name with a colon may be a file's.
    private static let schemes: Set<String> = ["http", "https", "ftp", "ftps", "sftp", "s3", "gs", "smb"]

    /// A path on this machine, perhaps relative.
    case file(String)
    case url(String)

    /// Why it cannot be a path.
    struct Fault: Error, Equatable {
        var message: String
    }

    /// Takes http and https URLs as they are, and reads `file:` URLs as paths.
    /// - Throws: `Fault` if only a shell, Windows or another program would understand it.
    init(_ text: String) throws(Fault) {
        if PathText.isAbsolute(text) {
            self = .file(text)
        } else if ImageList.isURL(text) {
            self = .url(text)
        } else if text.lowercased().hasPrefix("file:") {
            self = .file(try ListedPath.path(ofFileURL: text))
        } else if let scheme = ListedPath.scheme(of: text) {
            throw Fault(message: "\(scheme) is no http or https URL with a host, and no path")
        } else if text == "~" || text.hasPrefix("~") && text.utf8.contains(UInt8(ascii: "/")) {
            throw Fault(message: "only a shell knows what ~ is: write the whole path")
        } else if ListedPath.isOfWindows(text) || ListedPath.beginsWithDrive(text) {
            throw Fault(message: "a Windows path: write it as this machine reads it")
        } else {
            self = .file(text)
        }
    }

    /// The text before `://` if it can be a scheme (RFC 3986), or before another colon if it is a known scheme. The
    /// separator is included.
    private static func scheme(of text: String) -> String? {
        let scheme = text.prefix { $0 != ":" }
        let rest = text[scheme.endIndex...]
        if rest.hasPrefix("://") {
            let isOne =
                scheme.first?.isLetter == true
                && scheme.utf8.allSatisfy { "+-.".utf8.contains($0) || isAlphanumeric($0) }
            return isOne ? "\(scheme)://" : nil
        }
        return rest.hasPrefix(":") && schemes.contains(scheme.lowercased()) ? "\(scheme):" : nil
    }

    /// `C:a.jpg`: a path on some drive.
    private static func beginsWithDrive(_ text: String) -> Bool {
        let start = Array(text.utf8.prefix(2))
        guard start.count == 2, start[1] == UInt8(ascii: ":") else { return false }
        // In lower case.
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(start[0] | 0x20)
    }

    /// `C:\photos`, `C:/photos`, `\\nas\photos`.
    private static func isOfWindows(_ text: String) -> Bool {
        let start = Array(text.utf8.prefix(3))
        guard start.count > 1 else { return false }
        let slashes = [UInt8(ascii: "\\"), UInt8(ascii: "/")]
        if start[0] == slashes[0], start[1] == slashes[0] { return true }
        return start.count == 3 && start[1] == UInt8(ascii: ":") && slashes.contains(start[2])
            && isAlphanumeric(start[0])
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// RFC 8089: `file:///a%20b.jpg`, `file://localhost/a.jpg`, `file:/a.jpg`.
    private static func path(ofFileURL text: String) throws(Fault) -> String {
        var rest = text.dropFirst("file:".count)
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let host = rest.prefix { $0 != "/" }
            guard host.isEmpty || host.lowercased() == "localhost" else {
                throw Fault(message: "a file of another machine (\(host)): write the path as this machine reads it")
            }
            rest = rest.dropFirst(host.count)
        }
        guard let path = String(rest).removingPercentEncoding, PathText.isAbsolute(path), !path.utf8.contains(0) else {
            throw Fault(message: "no file: URL that names a path from the root")
        }
        guard !isOfWindows(String(path.dropFirst())) else {
            throw Fault(message: "a Windows path: write it as this machine reads it")
        }
        return path
    }
}
