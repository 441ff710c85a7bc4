import Foundation

/// Paths as text, split at their slashes byte by byte, since names of files are bytes. Foundation's `NSString` splits
/// at characters, and traps if a slash carries an accent.
public enum PathText {
    private static let slash = UInt8(ascii: "/")

    /// Whether the path begins at the root. An accent after the slash, which makes one character of both, changes
    /// nothing.
    public static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

    /// The part after the last slash, ignoring trailing slashes. `/` for the root.
    public static func lastComponent(of path: String) -> String {
        parts(of: path).last.map(text) ?? (path.isEmpty ? "" : "/")
    }

    /// The path without its last component. Empty for a bare name.
    public static func folder(of path: String) -> String {
        guard let last = parts(of: path).last else { return path.isEmpty ? "" : "/" }
        let folder = path.utf8[..<last.startIndex]
        guard let end = folder.lastIndex(where: { $0 != slash }) else { return folder.isEmpty ? "" : "/" }
        return text(folder[...end])
    }

    /// The name of a file without its last extension. A leading dot does not begin an extension.
    public static func stem(of name: String) -> String {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.utf8.startIndex else { return name }
        return text(name.utf8[..<dot])
    }

    /// The path of an entry in a folder.
    public static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty || folder.utf8.last == slash ? folder + name : folder + "/" + name
    }

    /// The part of a path after the folder and its slashes. nil if the path does not begin with the folder.
    public static func path(of path: String, below folder: String) -> String? {
        let start = join(folder, "").utf8
        guard path.utf8.starts(with: start) else { return nil }
        return text(path.utf8.dropFirst(start.count).drop { $0 == slash })
    }

    /// The path from the root, without empty components, `.` and `..`. A relative path begins in the working directory.
    /// Links are followed only before a `..`, which leads out of the folder that the link points to, as in the system.
    public static func absolute(_ path: String) -> String {
        let whole = isAbsolute(path) ? path : join(FileManager.default.currentDirectoryPath, path)
        var kept: [String] = []
        for part in parts(of: whole).map(text) where part != "." {
            guard part == ".." else {
                kept.append(part)
                continue
            }
            if let target = target(ofLink: "/" + kept.joined(separator: "/")) { kept = parts(of: target).map(text) }
            _ = kept.popLast()
        }
        return "/" + kept.joined(separator: "/")
    }

    /// The target of a symbolic link, without any links. nil if the path is no link, or if the target does not exist.
    private static func target(ofLink path: String) -> String? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, let target = realpath(path, nil) else {
            return nil
        }
        defer { free(target) }
        return String(validatingCString: target)
    }

    private static func parts(of path: String) -> [Substring.UTF8View] { path.utf8.split(separator: slash) }

    private static func text(_ part: Substring.UTF8View) -> String { String(decoding: part, as: UTF8.self) }
}
