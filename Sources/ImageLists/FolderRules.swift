import Glibc
import Model

/// Which parts of a folder are not looked at. Hidden entries are left out in any case.
struct FolderRules: Sendable {
    /// Folders and files that NAS devices and other systems create on their own, in lower case.
    private static let litter: Set<String> = [
        "@eadir", "#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found", "__macosx",
        "thumbs.db",
    ]

    let excluded: [Glob]

    /// Why an entry is left out. nil if it is not.
    /// - Parameter path: the path below the named folder.
    func reason(_ path: String, isFolder: Bool) -> String? {
        if FolderRules.litter.contains(PathText.lastComponent(of: path).lowercased()) {
            return "left out: a system file"
        }
        return excluded.first { $0.matches(path, isFolder: isFolder) }.map { "left out: --exclude \($0.text)" }
    }
}

/// A pattern of `--exclude`, read as rsync reads it. Without a slash it applies to names of files and folders at any
/// depth. With a slash it applies to the end of the path or, if it begins with a slash, to the path below the named
/// folder. `*` stands for any characters, `?` for one, `[a-z]` for one of these. With a slash at its end it applies
/// only to folders.
package struct Glob: Sendable {
    /// The pattern as it was written.
    package let text: String
    private let pattern: String
    private let isAnchored: Bool
    private let isOfName: Bool
    private let isOfFolders: Bool

    /// nil for an empty pattern.
    package init?(_ text: String) {
        self.text = text
        var pattern = Substring(text)
        isOfFolders = pattern.hasSuffix("/")
        while pattern.hasSuffix("/") { pattern.removeLast() }
        isAnchored = pattern.hasPrefix("/")
        // A pattern that is not anchored applies at any depth.
        while pattern.hasPrefix("/") || pattern.hasPrefix("**/") {
            pattern = pattern.drop { $0 != "/" }.dropFirst()
        }
        guard !pattern.isEmpty else { return nil }
        isOfName = !isAnchored && !pattern.contains("/")
        self.pattern = String(pattern)
    }

    /// - Parameter path: the path below the named folder.
    func matches(_ path: String, isFolder: Bool) -> Bool {
        guard isFolder || !isOfFolders else { return false }
        if isOfName { return fits(PathText.lastComponent(of: path)) }
        if isAnchored { return fits(path) }
        let starts =
            [path.utf8.startIndex]
            + path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }
            .map { path.utf8.index(after: $0) }
        return starts.contains { fits(String(decoding: path.utf8[$0...], as: UTF8.self)) }
    }

    private func fits(_ text: String) -> Bool { fnmatch(pattern, text, 0) == 0 }
}
