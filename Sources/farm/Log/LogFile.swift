import Foundation

/// What LOG_FILE names, open to be appended to. A FIFO keeps nobody waiting, be it for its reader or for a slow one.
struct LogFile: Sendable {
    private let handle: FileHandle
    /// Lines that the reader of a FIFO has left no room for, since the last one that was written.
    var lost = 0

    /// - Throws: `CommandFailure`.
    init(_ path: String) throws(CommandFailure) {
        // Else the opening of a FIFO waits for its reader.
        let flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
        var descriptor = Glibc.open(path, O_WRONLY | flags, 0o644)
        let isUnread = descriptor < 0 && errno == ENXIO
        // A FIFO that nobody reads yet: opened for both, it keeps the lines for a reader that comes.
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

    /// Appends a line. What a FIFO has no room for is lost, and counted.
    mutating func write(_ line: String) {
        switch Terminal.write(line, to: handle.fileDescriptor) {
        case 0: lost = 0
        case EAGAIN: lost += 1
        default: break
        }
    }
}
