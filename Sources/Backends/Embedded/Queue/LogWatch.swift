@preconcurrency import Dispatch
import Foundation
import Glibc
import Model

/// Notices when another process has announced messages. After its commit that process touches the write-ahead log, and
/// inotify reports a change of the file's attributes. Writes are not watched: they come before the commit is visible,
/// and commits that make nothing ready would be reported too. The folder of the log is watched as well, since a log may
/// be removed and created again.
///
/// Thread safety: the descriptor is read only on the serial `queue`, and closed by the source's cancel handler, after
/// the last read.
final class LogWatch: Sendable {
    /// After a change was reported, further ones, including this process's own, gather for this long.
    private static let pause = DispatchTimeInterval.milliseconds(25)

    private let logPath: String
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "farm.log-watch")
    private let source: any DispatchSourceRead
    private let folderWatch: Int32
    private let onChange: @Sendable () -> Void

    /// - Parameter onChange: called on a queue of the watch, at once for the first change, and later for all that
    ///   follow soon after it.
    /// - Throws: `POSIXError`.
    init(log path: String, onChange: @escaping @Sendable () -> Void) throws {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw LogWatch.error() }
        let folder = PathText.folder(of: path)
        let mask = UInt32(IN_CREATE) | UInt32(IN_MOVED_TO) | UInt32(IN_ONLYDIR)
        let folderWatch = inotify_add_watch(descriptor, folder, mask)
        guard folderWatch >= 0, LogWatch.follow(path, descriptor) || errno == ENOENT else {
            defer { Glibc.close(descriptor) }
            throw LogWatch.error()
        }
        self.descriptor = descriptor
        self.folderWatch = folderWatch
        self.onChange = onChange
        logPath = path
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setCancelHandler { Glibc.close(descriptor) }
        source.setEventHandler { [weak self] in self?.readEvents() }
        source.resume()
    }

    deinit { source.cancel() }

    func close() { source.cancel() }

    private static func follow(_ path: String, _ descriptor: Int32) -> Bool {
        inotify_add_watch(descriptor, path, UInt32(IN_ATTRIB)) >= 0
    }

    private static func error() -> POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }

    // MARK: Events

    private func readEvents() {
        var isChanged = false
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            while case let count = read(descriptor, buffer.baseAddress, buffer.count), count > 0 {
                if isOfLog(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { isChanged = true }
            }
        }
        if isChanged { changed() }
    }

    /// Whether any of these events is about the log. A new log is watched from here on.
    private func isOfLog(_ events: UnsafeRawBufferPointer) -> Bool {
        let header = MemoryLayout<inotify_event>.size
        var isOfLog = false
        var offset = 0
        while offset + header <= events.count {
            let event = events.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let end = min(offset + header + Int(event.len), events.count)
            if event.wd == folderWatch {
                let name = events[(offset + header)..<end].prefix { $0 != 0 }
                if logPath.utf8.reversed().starts(with: name.reversed()), !name.isEmpty {
                    isOfLog = LogWatch.follow(logPath, descriptor) || isOfLog
                }
            } else if event.mask & UInt32(IN_IGNORED) == 0 {
                // The attributes of the log, or events that were lost.
                isOfLog = true
            }
            offset = end
        }
        return isOfLog
    }

    /// Nothing is read during the pause, so changes meanwhile wake nobody until it is over.
    private func changed() {
        onChange()
        source.suspend()
        // A suspended source must be neither released nor cancelled for good.
        queue.asyncAfter(deadline: .now() + LogWatch.pause) { [source] in source.resume() }
    }
}
