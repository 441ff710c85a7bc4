import Files
import Foundation
import Model
import Operations
import Pipeline

/// Where an export goes: to standard output, or to a file that appears whole or not at all.
final class ExportFile: ExportSink {
    /// The reader of standard output went away, so the rest is not wanted.
    struct ReaderGone: Error {}

    /// nil for standard output.
    private let file: OutputFile?

    /// - Parameters:
    ///   - path: nil for standard output. A link is followed. Anything that is no regular file is refused.
    ///   - replacesAny: whether any existing file is replaced, and not only an earlier export.
    /// - Throws: `CommandFailure`.
    init(_ path: String?, replacesAny: Bool) throws(CommandFailure) {
        guard let path else {
            file = nil
            return
        }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw .unusable("\(path) is no regular file: leave --output out and redirect standard output")
        }
        let file: OutputFile
        do {
            file = try OutputFile(path, replacing: replacesAny ? .anything : .own(ExportFile.isExport))
        } catch { throw .failed(error.message) }
        self.file = file
        let temporary = file.temporary
        Signals.shared.onAbort { unlink(temporary) }
    }

    /// - Throws: `CommandFailure`, `ReaderGone`.
    func write(_ text: [UInt8]) throws {
        if let file {
            do { return try file.write(text) } catch { throw CommandFailure.failed(error.message) }
        }
        Terminal.removeProgressLine()
        var rest = (Terminal.outputIsTerminal ? ExportFile.harmless(text) : text)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            if written < 0 && errno == EPIPE { throw ReaderGone() }
            if written < 0 { throw CommandFailure.failed(Terminal.outputFault(errno)) }
            rest = rest.dropFirst(written)
        }
    }

    /// The text for a terminal, with nothing in it that controls the terminal.
    private static func harmless(_ text: [UInt8]) -> [UInt8] {
        Array(String(decoding: text, as: UTF8.self).escapingSteering(keeping: "\r\n\t").utf8)
    }

    /// Moves the file to its path, safe from a power cut.
    /// - Throws: `CommandFailure`. Then the path names what it named before.
    func complete() throws(CommandFailure) {
        do { try file?.complete(isDurable: true) } catch { throw .failed(error.message) }
    }

    // MARK: Earlier exports

    /// Whether a file begins as an export does.
    @Sendable private static func isExport(_ path: String) -> Bool {
        let beginnings = Export.beginnings
        guard let handle = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? handle.close() }
        guard let head = try? handle.read(upToCount: beginnings.map(\.count).max() ?? 0) else { return false }
        return beginnings.contains { head.starts(with: $0) }
    }
}
