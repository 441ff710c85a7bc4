import CGlibc
import Foundation
import Model
import Synchronization

/// Files that can be made again, in a folder with a limit: what was not used for the longest time goes first. Several processes
/// may use one folder. A file appears whole or not at all; what is lost or cannot be written is made again the next time.
package final class FileCache: Sendable {
    /// A file of the cache.
    package struct Entry: Sendable {
        /// What it holds.
        package var bytes: [UInt8]
        /// When it was made.
        package var made: Date
    }

    /// A part of the limit: so much more than it may be there for a while, for each process.
    private static let slack = 10
    /// UTIME_NOW and UTIME_OMIT, which Swift does not import.
    private static let (now, omitted) = (0x3FFF_FFFF, 0x3FFF_FFFE)
    /// The age, in seconds, at which a file counts as left half written by another process.
    private static let oldest: TimeInterval = 3600

    private let folder: String
    private let limit: Int
    /// Bytes that this process has written since it last looked how full the folder is; nil: it has not looked yet.
    private let written = Mutex<Int?>(nil)

    /// A cache in a folder, which is made when something is kept.
    /// - Parameter limit: of all its files, in bytes.
    package init(_ folder: String, limit: Int) {
        self.folder = folder
        self.limit = limit
    }

    // MARK: Use

    /// What is kept under a name; nil if there is nothing, or nothing that can be read.
    package func entry(_ name: UUID) -> Entry? {
        let path = path(name)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
            let bytes = FileCache.read(descriptor, count: Int(status.st_size))
        else { return nil }
        // The time of use is ours to set: many disks are mounted without.
        var times = [timespec(tv_sec: 0, tv_nsec: FileCache.now), timespec(tv_sec: 0, tv_nsec: FileCache.omitted)]
        futimens(descriptor, &times)
        return Entry(bytes: bytes, made: Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec)))
    }

    /// Keeps something under a name, in place of what is there. What does not fit into the limit is not kept.
    /// - Returns: whether it is kept.
    @discardableResult
    package func keep(_ bytes: [UInt8], as name: UUID) -> Bool {
        guard !bytes.isEmpty, bytes.count <= limit else { return false }
        let path = path(name)
        let isKept = write(bytes, to: path)
        let isFull = written.withLock { written in
            guard let known = written else { return true }
            written = known + bytes.count
            return known + bytes.count > limit / FileCache.slack
        }
        if isFull { sweep() }
        return isKept
    }

    /// Takes out what is under a name.
    package func remove(_ name: UUID) { unlink(path(name)) }

    // MARK: Room

    /// Makes room: what was not used for the longest time goes, until nine tenths of the limit are left. Another process that is
    /// at it is not waited for.
    package func sweep() {
        let lock = open(folder + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { return }
        // Closing it gives the lock back, also where the process ends here.
        defer { close(lock) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return }
        var files = FileCache.files(below: folder)
        var size = files.reduce(0) { $0 + $1.size }
        written.withLock { $0 = 0 }
        guard size > limit else { return }
        files.sort { $0.used < $1.used }
        for file in files {
            guard size > limit / FileCache.slack * (FileCache.slack - 1) else { return }
            // One that another process has just taken away makes room as well.
            unlink(file.path)
            size -= file.size
        }
    }

    private struct File {
        var path: String
        var size: Int
        var used: TimeInterval
    }

    /// All files, but for those that are being written.
    private static func files(below folder: String) -> [File] {
        var files: [File] = []
        let now = Date().timeIntervalSince1970
        for part in names(in: folder) where part.utf8.count == 2 {
            for name in names(in: "\(folder)/\(part)") {
                let path = "\(folder)/\(part)/\(name)"
                var status = stat()
                guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
                let (used, made) = (Double(status.st_atim.tv_sec), Double(status.st_mtim.tv_sec))
                if name.hasSuffix(".part") {
                    if now - made > oldest { unlink(path) }
                } else {
                    files.append(File(path: path, size: Int(status.st_size), used: max(used, made)))
                }
            }
        }
        return files
    }

    private static func names(in folder: String) -> [String] {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            if let name, !name.hasPrefix(".") || name.hasSuffix(".part") { names.append(name) }
        }
        return names
    }

    // MARK: Files

    private func path(_ name: UUID) -> String { "\(folder)/\(name.text.prefix(2))/\(name.text)" }

    private func write(_ bytes: [UInt8], to path: String) -> Bool {
        let part = PathText.folder(of: path)
        for place in [folder, part] where mkdir(place, 0o700) != 0 && errno != EEXIST { return false }
        let temporary = "\(part)/.\(UUID().uuidString.prefix(8)).part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        var isWhole = FileCache.write(bytes, to: descriptor)
        // Some file systems tell only now that they are full.
        isWhole = close(descriptor) == 0 && isWhole
        guard isWhole, rename(temporary, path) == 0 else {
            unlink(temporary)
            return false
        }
        return true
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return false }
            rest = rest.dropFirst(written)
        }
        return true
    }

    private static func read(_ descriptor: Int32, count: Int) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
                if got < 0 && errno == EINTR { continue }
                guard got > 0 else { return }
                filled += got
            }
        }
        return bytes.count == count ? bytes : nil
    }
}

/// What tells one state of a file from another, without reading it.
package struct FileStamp: Sendable {
    /// Path, size, times and number: it changes when the file does.
    package let text: String

    /// nil for what is no file.
    package init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let (changed, modified) = (status.st_ctim, status.st_mtim)
        text =
            "\(path)\n\(status.st_dev) \(status.st_ino) \(status.st_size) \(modified.tv_sec).\(modified.tv_nsec) "
            + "\(changed.tv_sec).\(changed.tv_nsec)"
    }
}
