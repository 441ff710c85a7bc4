import Glibc
import Model

/// What of a folder is not looked at. Hidden entries are left out anyway.
struct FolderRules: Sendable {
    /// Folders and files that NAS boxes and other systems make on their own, in small letters.
    private static let litter: Set<String> = [
        "@eadir", "#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found", "__macosx",
        "thumbs.db",
    ]

    let excluded: [Glob]

    /// Why an entry is left out; nil if it is not.
    /// - Parameter path: below the folder that was named.
    func reason(_ path: String, isFolder: Bool) -> String? {
        if FolderRules.litter.contains(PathText.lastComponent(of: path).lowercased()) {
            return "left out: the system's own"
        }
        return excluded.first { $0.matches(path, isFolder: isFolder) }.map { "left out: --exclude \($0.text)" }
    }
}

/// A pattern of `--exclude`, read as rsync does: without a slash it is about names of files and folders at any depth; with
/// one about the end of the path, or, where it begins with a slash, the path below the folder that was named. `*` stands for
/// any characters, `?` for one, `[a-z]` for one of these. A slash at the end makes it about folders only.
package struct Glob: Sendable {
    /// As it was written.
    package let text: String
    private let pattern: String
    private let isAnchored: Bool
    private let isOfName: Bool
    private let isOfFolders: Bool

    /// nil for an empty one.
    package init?(_ text: String) {
        self.text = text
        var pattern = Substring(text)
        isOfFolders = pattern.hasSuffix("/")
        while pattern.hasSuffix("/") { pattern.removeLast() }
        isAnchored = pattern.hasPrefix("/")
        // At any depth: what is not anchored is.
        while pattern.hasPrefix("/") || pattern.hasPrefix("**/") {
            pattern = pattern.drop { $0 != "/" }.dropFirst()
        }
        guard !pattern.isEmpty else { return nil }
        isOfName = !isAnchored && !pattern.contains("/")
        self.pattern = String(pattern)
    }

    /// - Parameter path: below the folder that was named.
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
