import Files
import Foundation
import Model
import Pipeline

/// A folder and all below it, one at a time, with the files of each; sorted, so that a second run and another box see the
/// same order. Hidden entries are left out.
struct FolderWalk: Sequence, IteratorProtocol {
    /// One folder.
    struct Step {
        var folder: String
        /// Paths; all that is no folder.
        var files: [String] = []
        /// What the rules leave out.
        var leftOut: [SkippedFile] = []
        /// What has a name that is not UTF-8, and so no path.
        var unnamed: [UnnamedEntry] = []
        /// Why it cannot be read.
        var fault: String?
    }

    private var folders: [String]
    /// Links to folders, taken last: what lies in the tree itself is known by its own path, whatever links lead there.
    private var links: [String] = []
    /// A link may lead back to a folder above it.
    private var seen: Set<FileIdentity> = []

    private let root: String
    private let rules: FolderRules

    /// - Parameter rules: what is left out, the folder itself aside.
    init(_ folder: String, _ rules: FolderRules) {
        folders = [folder]
        root = folder
        self.rules = rules
    }

    mutating func next() -> Step? {
        while let folder = folders.popLast() ?? nextLink() {
            if let identity = FileIdentity(of: folder), !seen.insert(identity).inserted { continue }
            return step(folder)
        }
        return nil
    }

    private mutating func nextLink() -> String? { links.isEmpty ? nil : links.removeFirst() }

    private mutating func step(_ folder: String) -> Step {
        var step = Step(folder: folder)
        let entries: [UncheckedName]
        do { entries = try FolderWalk.entries(of: folder) } catch {
            step.fault = "cannot be read: \(String(cString: strerror(error.cause)))"
            return step
        }
        step.unnamed = entries.filter { $0.text == nil }.map { UnnamedEntry($0, in: folder) }
        var below: [String] = []
        for name in entries.compactMap(\.text).sorted() {
            let entry = PathText.join(folder, name)
            var isDirectory: ObjCBool = false
            let isFolder =
                FileManager.default.fileExists(atPath: entry, isDirectory: &isDirectory) && isDirectory.boolValue
            if let reason = rules.reason(PathText.path(of: entry, below: root) ?? name, isFolder: isFolder) {
                step.leftOut.append(SkippedFile(place: entry, reason: reason, kind: .leftOut))
            } else if isFolder {
                if FolderWalk.isLink(entry) { links.append(entry) } else { below.append(entry) }
            } else {
                step.files.append(entry)
            }
        }
        folders += below.reversed()
        return step
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// An `errno`.
    private struct Fault: Error { var cause: Int32 }

    /// The names in a folder but hidden ones, in no order. Foundation would replace what is not UTF-8.
    private static func entries(of folder: String) throws(Fault) -> [UncheckedName] {
        guard let stream = opendir(folder) else { throw Fault(cause: errno) }
        defer { closedir(stream) }
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        var names: [UncheckedName] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            // The name may be longer than the field, or its record shorter: it ends with a zero.
            let name = UncheckedName((UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            if name.bytes.first != UInt8(ascii: ".") { names.append(name) }
        }
        guard errno == 0 else { throw Fault(cause: errno) }
        return names
    }
}
