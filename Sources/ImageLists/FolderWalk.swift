import Foundation
import Model

/// A folder and all below it, one at a time, with the files of each; sorted, so that a second run and another box see the
/// same order. Hidden entries are left out.
struct FolderWalk: Sequence, IteratorProtocol {
    /// One folder.
    struct Step {
        var folder: String
        /// Paths; all that is no folder.
        var files: [String] = []
        /// Why it cannot be read.
        var fault: String?
    }

    private var folders: [String]
    /// A link may lead back to a folder above it.
    private var seen: Set<FileIdentity> = []

    init(_ folder: String) { folders = [folder] }

    mutating func next() -> Step? {
        while let folder = folders.popLast() {
            if let identity = FileIdentity(of: folder), !seen.insert(identity).inserted { continue }
            return step(folder)
        }
        return nil
    }

    private mutating func step(_ folder: String) -> Step {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            return Step(folder: folder, fault: "cannot be read: \(error.localizedDescription)")
        }
        var step = Step(folder: folder)
        var below: [String] = []
        for name in names.filter({ !$0.hasPrefix(".") }).sorted() {
            let entry = PathText.join(folder, name)
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: entry, isDirectory: &isFolder), isFolder.boolValue {
                below.append(entry)
            } else {
                step.files.append(entry)
            }
        }
        folders += below.reversed()
        return step
    }
}
