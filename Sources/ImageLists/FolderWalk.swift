import Files
import Foundation
import Model
import Pipeline

/// Walks through a folder and everything below it, one folder at a time, with the files of each. The order is sorted,
/// so a second run and another machine see the same order. Hidden entries are left out.
struct FolderWalk: Sequence, IteratorProtocol {
    /// One folder.
    struct Step {
        var folder: String
        /// The paths of everything that is not a folder.
        var files: [String] = []
        /// Entries that the rules leave out.
        var leftOut: [SkippedFile] = []
        /// Entries whose names are not UTF-8, so that they have no path.
        var unnamed: [UnnamedEntry] = []
        /// Why the folder cannot be read.
        var fault: String?
    }

    private var folders: [String]
    /// Links to folders. They are taken last, so that a file inside the tree has its own path, whatever links lead to
    /// it.
    private var links: [String] = []
    /// Folders that were visited. A link may lead back to a folder above it.
    private var seen: Set<FileIdentity> = []

    private let root: String
    private let rules: FolderRules

    /// - Parameter rules: what is left out. They do not apply to the folder itself.
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

    /// The names in a folder, without hidden ones, in no order. Foundation would replace bytes that are not UTF-8.
    private static func entries(of folder: String) throws(Fault) -> [UncheckedName] {
        guard let stream = opendir(folder) else { throw Fault(cause: errno) }
        defer { closedir(stream) }
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        var names: [UncheckedName] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            // The name may be longer than the field, or its record shorter. It ends with a zero.
            let name = UncheckedName((UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            if name.bytes.first != UInt8(ascii: ".") { names.append(name) }
        }
        guard errno == 0 else { throw Fault(cause: errno) }
        return names
    }
}
