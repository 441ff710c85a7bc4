import Foundation
import Synchronization

/// Data goes to standard output, messages to standard error.
enum Terminal {
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
    static let errorIsTerminal = isatty(STDERR_FILENO) == 1
    /// Colour only on a terminal, and never with NO_COLOR (https://no-color.org).
    static let outputHasColour = outputIsTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

    /// A progress line stands at the end of standard error: what is written next takes its place.
    private static let hasProgressLine = Atomic(false)
    private static let clearLine = "\r\u{1B}[K"

    static func output(_ text: String) {
        removeProgressLine()
        write(text + "\n", to: STDOUT_FILENO)
    }

    static func error(_ text: String) {
        removeProgressLine()
        write(text + "\n", to: STDERR_FILENO)
    }

    /// Draws a line that the next one replaces.
    static func progress(_ line: String) {
        hasProgressLine.store(true, ordering: .relaxed)
        write(clearLine + line.prefix(width - 1), to: STDERR_FILENO)
    }

    static func removeProgressLine() {
        if hasProgressLine.exchange(false, ordering: .relaxed) { write(clearLine, to: STDERR_FILENO) }
    }

    /// Columns of the terminal that standard error goes to.
    static var width: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    static func bold(_ text: String) -> String { outputHasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
    static func red(_ text: String) -> String { outputHasColour ? "\u{1B}[31m\(text)\u{1B}[0m" : text }

    /// Redraws the screen from its upper left corner.
    static let clear = "\u{1B}[H\u{1B}[2J"

    /// A reader that went away (`farm status | head`) is no failure: the rest is not wanted.
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
