import Foundation
import Model

/// Where an export goes: standard output, or a file that appears whole or not at all, as it is written beside its path
/// and renamed when it is complete.
final class ExportFile {
    /// The reader of standard output went away: the rest is not wanted.
    struct ReaderGone: Error {}

    private let path: String?
    private let temporary: String?
    private let descriptor: Int32
    private var isOpen = true

    /// - Parameter path: nil for standard output. A link is followed; what is there and no regular file is refused.
    /// - Throws: `CommandFailure`.
    init(_ path: String?) throws(CommandFailure) {
        guard let path else {
            (self.path, temporary, descriptor) = (nil, nil, STDOUT_FILENO)
            return
        }
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var status = stat()
        if stat(target, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw .unusable("\(path) is no regular file: leave --output out and redirect standard output")
        }
        let temporary = target + ".\(UUID().uuidString.prefix(8)).part"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .failed("\(path): cannot be written: \(String(cString: strerror(errno)))") }
        self.path = target
        self.temporary = temporary
        Signals.shared.onAbort { unlink(temporary) }
    }

    deinit { discard() }

    /// - Throws: `CommandFailure`, `ReaderGone`.
    func write(_ text: [UInt8]) throws {
        if path == nil { Terminal.removeProgressLine() }
        var rest = (path == nil && Terminal.outputIsTerminal ? ExportFile.harmless(text) : text)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            if written < 0 && errno == EPIPE && path == nil { throw ReaderGone() }
            if written < 0 { throw failure(errno) }
            rest = rest.dropFirst(written)
        }
    }

    /// What a terminal is shown: nothing of a foreign text steers it.
    private static func harmless(_ text: [UInt8]) -> [UInt8] {
        Array(String(decoding: text, as: UTF8.self).escapingSteering(keeping: "\r\n\t").utf8)
    }

    /// The file takes its place, safe from a power cut.
    /// - Throws: `CommandFailure`; then the path names what it named before.
    func complete() throws(CommandFailure) {
        guard let path, let temporary else { return }
        var cause: Int32 = fsync(descriptor) == 0 ? 0 : errno
        if close(descriptor) != 0 && cause == 0 { cause = errno }
        isOpen = false
        if cause == 0 && rename(temporary, path) != 0 { cause = errno }
        guard cause == 0 else {
            unlink(temporary)
            throw failure(cause)
        }
    }

    /// Nothing is left of what was not completed.
    private func discard() {
        guard let temporary, isOpen else { return }
        isOpen = false
        close(descriptor)
        unlink(temporary)
    }

    private func failure(_ cause: Int32) -> CommandFailure {
        .failed("\(path ?? "standard output"): cannot be written: \(String(cString: strerror(cause)))")
    }
}
