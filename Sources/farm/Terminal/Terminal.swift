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

    /// Why standard output did not take everything, as an `errno`; 0 if it did or its reader went away.
    static var outputFault: Int32 { outputErrno.load(ordering: .relaxed) }
    private static let outputErrno = Atomic<Int32>(0)

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

    /// Lines of the terminal that standard output goes to.
    private static var height: Int {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : 24
    }

    static func bold(_ text: String) -> String { outputHasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
    static func red(_ text: String) -> String { outputHasColour ? "\u{1B}[31m\(text)\u{1B}[0m" : text }

    /// Draws a page over the one before, from the upper left corner, without a blank screen in between. What does not fit
    /// below is left out, as it would push the top off the screen.
    static func redraw(_ page: String, first: Bool) {
        let lines = page.split(separator: "\n", omittingEmptySubsequences: false)
        let room = max(height - 1, 1)
        var shown = lines.prefix(room).map(String.init)
        if lines.count > room { shown[room - 1] = "… \(lines.count - room + 1) more lines" }
        let text = shown.map { $0 + "\u{1B}[K\n" }.joined()
        write((first ? "\u{1B}[H\u{1B}[2J" : "\u{1B}[H") + text + "\u{1B}[J", to: STDOUT_FILENO)
    }

    /// A reader that went away (`farm status | head`) is no failure: the rest is not wanted.
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else {
                if written < 0 && errno != EPIPE && descriptor == STDOUT_FILENO {
                    outputErrno.store(errno, ordering: .relaxed)
                }
                return
            }
            bytes = bytes.dropFirst(written)
        }
    }
}
