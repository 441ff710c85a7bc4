import Foundation

/// The file that LOG_FILE names, open for appending. A FIFO makes nobody wait, neither for its reader nor for a slow
/// one.
struct LogFile: Sendable {
    private let handle: FileHandle
    /// How many lines did not fit into a FIFO since the last one that was written.
    var lost = 0

    /// - Throws: `CommandFailure`.
    init(_ path: String) throws(CommandFailure) {
        // Otherwise opening a FIFO would wait for its reader.
        let flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
        var descriptor = Glibc.open(path, O_WRONLY | flags, 0o644)
        let isUnread = descriptor < 0 && errno == ENXIO
        // Nobody reads this FIFO yet. Opened for both reading and writing, it keeps the lines for a reader that comes
        // later.
        if isUnread { descriptor = Glibc.open(path, O_RDWR | flags, 0o644) }
        guard descriptor >= 0 else { throw .unusable("LOG_FILE \(path): \(String(cString: strerror(errno)))") }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        if isUnread { Terminal.error("farm: warning: LOG_FILE \(path): nobody reads this FIFO") }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFIFO {
            // A terminal that is stopped for a moment loses no line.
            _ = fcntl(descriptor, F_SETFL, O_APPEND)
        }
    }

    /// Appends a line. If a FIFO has no room for it, it is lost, and counted.
    mutating func write(_ line: String) {
        switch Terminal.write(line, to: handle.fileDescriptor) {
        case 0: lost = 0
        case EAGAIN: lost += 1
        default: break
        }
    }
}
