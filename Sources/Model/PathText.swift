import Foundation

/// Paths as text, cut at their slashes byte by byte: names of files are bytes. Foundation's `NSString` cuts at
/// characters, and traps where an accent stands on a slash.
public enum PathText {
    private static let slash = UInt8(ascii: "/")

    /// Whether the path begins at the root. An accent behind the slash makes one character of both, and changes nothing.
    public static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

    /// What stands behind the last slash, trailing ones aside; `/` of the root.
    public static func lastComponent(of path: String) -> String {
        parts(of: path).last.map(text) ?? (path.isEmpty ? "" : "/")
    }

    /// The path without its last component; empty for a bare name.
    public static func folder(of path: String) -> String {
        guard let last = parts(of: path).last else { return path.isEmpty ? "" : "/" }
        let folder = path.utf8[..<last.startIndex]
        guard let end = folder.lastIndex(where: { $0 != slash }) else { return folder.isEmpty ? "" : "/" }
        return text(folder[...end])
    }

    /// The name of a file without its last extension; a leading dot begins none.
    public static func stem(of name: String) -> String {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.utf8.startIndex else { return name }
        return text(name.utf8[..<dot])
    }

    /// The path of an entry of a folder.
    public static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty || folder.utf8.last == slash ? folder + name : folder + "/" + name
    }

    /// The path from the root, without empty components, `.` and `..`; links are not followed. A relative one begins in
    /// the working directory.
    public static func absolute(_ path: String) -> String {
        let whole = isAbsolute(path) ? path : join(FileManager.default.currentDirectoryPath, path)
        var kept: [String] = []
        for part in parts(of: whole).map(text) where part != "." {
            if part == ".." { _ = kept.popLast() } else { kept.append(part) }
        }
        return "/" + kept.joined(separator: "/")
    }

    private static func parts(of path: String) -> [Substring.UTF8View] { path.utf8.split(separator: slash) }

    private static func text(_ part: Substring.UTF8View) -> String { String(decoding: part, as: UTF8.self) }
}
