import CGlibc
import Foundation
import Model

/// Why an output is not written.
package struct OutputFault: Error {
    /// One line for people. It begins with the path.
    package var message: String

    init(_ path: String, _ reason: String) { message = "\(path): \(reason)" }

    init(_ path: String, _ cause: Int32) { self.init(path, "cannot be written: \(String(cString: strerror(cause)))") }
}

/// Which files an output may replace.
package enum Replacing: Sendable {
    case anything
    /// Only files for which this returns true, such as files that farm itself has made. The argument is a path.
    case own(@Sendable (String) -> Bool)
}

/// A file that appears at its path whole or not at all. It is written beside its path, under a hidden name that imports
/// ignore, and renamed when it is complete. It replaces only files that it may.
package final class OutputFile {
    /// The path as the user gave it.
    private let path: String
    /// The path with its links followed.
    private var target: String
    private let replacing: Replacing
    private let descriptor: Int32
    private var isOpen = true

    /// The path under which it is written before it is complete.
    package let temporary: String

    /// - Throws: `OutputFault`, also if there is a file that may not be replaced.
    package init(_ path: String, replacing: Replacing) throws(OutputFault) {
        self.path = path
        self.replacing = replacing
        target = try OutputFile.target(of: path)
        try OutputFile.check(path, target, replacing)
        temporary = PathText.join(PathText.folder(of: target), ".farm-\(UUID().uuidString.prefix(8)).part")
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw OutputFault(path, errno) }
    }

    deinit { discard() }

    /// - Throws: `OutputFault`.
    package func write(_ bytes: [UInt8]) throws(OutputFault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            if written < 0 { throw OutputFault(path, errno) }
            rest = rest.dropFirst(written)
        }
    }

    /// Moves the file to its path.
    /// - Parameters:
    ///   - isDurable: whether it must survive a power cut.
    ///   - name: another path in the same folder, if only the content has told it.
    /// - Throws: `OutputFault`. Then the path names what it named before.
    package func complete(isDurable: Bool, as name: String? = nil) throws(OutputFault) {
        isOpen = false
        if let name { target = name }
        var cause: Int32 = !isDurable || fsync(descriptor) == 0 ? 0 : errno
        if close(descriptor) != 0 && cause == 0 { cause = errno }
        do throws(OutputFault) {
            guard cause == 0 else { throw OutputFault(path, cause) }
            try takePlace()
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Removes what was not completed.
    package func discard() {
        guard isOpen else { return }
        isOpen = false
        close(descriptor)
        unlink(temporary)
    }

    // MARK: The place

    private static func check(_ path: String, _ target: String, _ replacing: Replacing) throws(OutputFault) {
        var status = stat()
        guard lstat(target, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFREG else { throw OutputFault(path, "is no regular file") }
        // An empty file, such as mktemp makes, holds nothing that could be lost.
        guard status.st_size > 0, case .own(let isOwn) = replacing, !isOwn(target) else { return }
        throw OutputFault(path, "there is a file already that farm has not made; name another, or add --force")
    }

    private func takePlace() throws(OutputFault) {
        switch OutputFile.renameToNew(temporary, target) {
        case 0: return
        case EEXIST:
            try OutputFile.check(path, target, replacing)
            if rename(temporary, target) != 0 { throw OutputFault(path, errno) }
        case let cause: throw OutputFault(path, cause)
        }
    }

    /// Renames only if nothing has the new name, even if it appeared this moment.
    /// - Returns: an `errno`, or 0 for success.
    private static func renameToNew(_ old: String, _ new: String) -> Int32 {
        let noReplace: UInt32 = 1
        if renameat2(AT_FDCWD, old, AT_FDCWD, new, noReplace) == 0 { return 0 }
        guard errno == EINVAL || errno == ENOSYS else { return errno }
        // NFS has no such rename, but it has links. FAT by FUSE has neither, so a moment remains.
        if link(old, new) == 0 {
            unlink(old)
            return 0
        }
        guard errno != EEXIST else { return EEXIST }
        var status = stat()
        guard lstat(new, &status) != 0 else { return EEXIST }
        return rename(old, new) == 0 ? 0 : errno
    }

    /// Follows links, even one that leads to nothing yet.
    /// - Throws: `OutputFault`.
    package static func target(of path: String) throws(OutputFault) -> String {
        var place = path
        for _ in 0..<40 {
            guard let link = destination(of: place) else { return place }
            guard let text = link.text else {
                throw OutputFault(path, "a link to \(link.shown): \(UncheckedName.fault)")
            }
            place = PathText.isAbsolute(text) ? text : PathText.join(PathText.folder(of: place), text)
        }
        throw OutputFault(path, ELOOP)
    }

    private static func destination(of link: String) -> UncheckedName? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let length = readlink(link, start, buffer.count - 1)
            guard length > 0 else { return nil }
            buffer[length] = 0
            return UncheckedName(start)
        }
    }
}
