import Foundation
import Model

/// The symlinks by which farm can be called under the names of its roles, as with busybox.
struct RoleLinks {
    /// What was done, by name.
    struct Outcome {
        var made: [String] = []
        var present: [String] = []
        /// Names that belong to something else, which is left alone, and what that is.
        var refused: [(name: String, reason: String)] = []
    }

    /// The roles as `farm-ROLE`, and the names of the older scripts with and without `.py`.
    static let names =
        CalledName.roles + CalledName.roles.map { "farm-" + $0 }
        + CalledName.olderNames.keys.sorted().flatMap { [$0, $0 + ".py"] }

    /// The absolute path of the program to which the links lead.
    let program: String

    /// The program that is running, wherever it was called from.
    /// - Throws: `CommandFailure`.
    static func ofThisProgram() throws(CommandFailure) -> RoleLinks {
        let path: String
        do { path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") } catch {
            throw .failed("/proc/self/exe: \(error.localizedDescription)")
        }
        // The kernel marks a file that was removed or replaced while it runs.
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw .failed("\(path): this program is gone from there; call the one that took its place")
        }
        return RoleLinks(program: path)
    }

    /// Creates the folder and the links that are missing. A link to an older place of farm is changed to this one.
    /// - Throws: `CommandFailure`, which names the folder or link that cannot be created.
    func make(in folder: String) throws(CommandFailure) -> Outcome {
        try makeFolder(folder)
        var outcome = Outcome()
        for name in RoleLinks.names {
            let path = PathText.join(folder, name)
            switch entry(path) {
            case .right: outcome.present.append(name)
            case .foreign(let reason): outcome.refused.append((name, reason))
            case .none:
                try check(symlink(program, path), path)
                outcome.made.append(name)
            case .stale:
                try replace(path)
                outcome.made.append(name)
            }
        }
        return outcome
    }

    private enum Entry {
        case none
        case right
        /// A link to farm that is written differently.
        case stale
        case foreign(String)
    }

    private func entry(_ path: String) -> Entry {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .none }
        guard status.st_mode & S_IFMT == S_IFLNK,
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
        else { return .foreign(status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a file") }
        if target == program { return .right }
        // If it leads nowhere any more, the name decides: it may be the place of an older version.
        let leads = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let isFarm =
            leads == program
            || ["farm", PathText.lastComponent(of: program)].contains(PathText.lastComponent(of: target))
        return isFarm ? .stale : .foreign("a link to \(target)")
    }

    /// Replaces a link by renaming a new one, so that the name never leads nowhere.
    private func replace(_ path: String) throws(CommandFailure) {
        let temporary = path + ".\(UUID().uuidString.prefix(8)).part"
        try check(symlink(program, temporary), path)
        let renamed = rename(temporary, path)
        let cause = errno
        if renamed != 0 { unlink(temporary) }
        errno = cause
        try check(renamed, path)
    }

    private func check(_ result: Int32, _ path: String) throws(CommandFailure) {
        if result != 0 { throw .failed("\(path): cannot be made: \(String(cString: strerror(errno)))") }
    }
}
