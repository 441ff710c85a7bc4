import Foundation
import Model
import Synchronization

/// Writes data to standard output, and messages to standard error.
enum Terminal {
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
    static let errorIsTerminal = isatty(STDERR_FILENO) == 1
    /// Colour is used only on a terminal, and never with NO_COLOR (https://no-color.org).
    static let outputHasColour = outputIsTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

    /// Whether there is a progress line at the end of standard error, which the next output replaces. Who writes to the
    /// terminal holds it: a line that is drawn while another task writes its message would stay there for good.
    private static let progressLine = Mutex(false)
    private static let clearLine = "\r\u{1B}[K"

    /// Why standard output did not take everything. nil if it did, or if its reader went away.
    static var outputFault: String? {
        let cause = outputErrno.load(ordering: .relaxed)
        return cause == 0 || cause == EPIPE ? nil : outputFault(cause)
    }

    /// Why standard output cannot be written, for people.
    static func outputFault(_ cause: Int32) -> String {
        cause == EBADF
            ? "standard output is closed" : "standard output: cannot be written: \(String(cString: strerror(cause)))"
    }

    /// Whether the reader of standard output went away (`farm status --watch | head`), so that nothing more is wanted.
    static var outputHasNoReader: Bool { outputErrno.load(ordering: .relaxed) == EPIPE }
    private static let outputErrno = Atomic<Int32>(0)

    /// Writes text for people, or JSON for programs.
    static func output(_ text: String, terminator: String = "\n") {
        let text = styled(harmless(text, keeping: "\n\t")) + terminator
        guard outputIsTerminal else {
            // A slow reader of a pipe holds nobody else up.
            removeProgressLine()
            return _ = write(text, to: STDOUT_FILENO)
        }
        progressLine.withLock { isShown in
            clear(&isShown)
            write(text, to: STDOUT_FILENO)
        }
    }

    static func error(_ text: String) { message(text.escapingSteering(keeping: "\n\t") + "\n") }

    /// Writes text to standard error as it is.
    static func message(_ text: String) {
        progressLine.withLock { isShown in
            clear(&isShown)
            write(text, to: STDERR_FILENO)
        }
    }

    /// Draws a line that the next one replaces.
    static func progress(_ line: String) {
        progressLine.withLock { isShown in
            isShown = true
            write(clearLine + line.escapingSteering().prefix(width - 1), to: STDERR_FILENO)
        }
    }

    static func removeProgressLine() { progressLine.withLock { clear(&$0) } }

    /// The same for a process that ends at once: a write that does not end keeps it from nothing.
    static func abandonProgressLine() { _ = progressLine.withLockIfAvailable { clear(&$0) } }

    private static func clear(_ progressLine: inout Bool) {
        if progressLine { write(clearLine, to: STDERR_FILENO) }
        progressLine = false
    }

    /// The number of columns of the terminal of standard error.
    static var width: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    /// The number of lines of the terminal of standard output.
    private static var height: Int {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : 24
    }

    /// Draws a page over the previous one, from the upper left corner, without a blank screen in between. What does not
    /// fit is left out, since it would push the top off the screen.
    static func redraw(_ page: String, first: Bool) {
        let lines = harmless(page, keeping: "\n\t").split(separator: "\n", omittingEmptySubsequences: false)
        let room = max(height - 1, 1)
        var shown = lines.prefix(room).map(String.init)
        if lines.count > room { shown[room - 1] = "… \(lines.count - room + 1) more lines" }
        let text = shown.map { styled($0) + "\u{1B}[K\n" }.joined()
        write((first ? "\u{1B}[H\u{1B}[2J" : "\u{1B}[H") + text + "\u{1B}[J", to: STDOUT_FILENO)
    }

    static func bold(_ text: String) -> String { outputHasColour ? mark("b") + text + mark("p") : text }
    static func red(_ text: String) -> String { outputHasColour ? mark("r") + text + mark("p") : text }

    /// The mark of a style until the text is written. It is different in each run, so no foreign text can contain it.
    private static func mark(_ style: String) -> String { start + style }
    private static let start = "\u{2}" + String(UInt64.random(in: .min ... .max), radix: 16)
    private static let styles = [("b", "\u{1B}[1m"), ("r", "\u{1B}[31m"), ("p", "\u{1B}[0m")]

    /// Makes foreign text, such as labels, messages and file names, harmless: of everything that controls a terminal,
    /// only the styles above and the characters in `kept` remain. JSON stays the same JSON.
    static func harmless(_ text: String, keeping kept: String = "") -> String {
        guard outputHasColour else { return text.escapingSteering(keeping: kept) }
        return text.components(separatedBy: start).map { $0.escapingSteering(keeping: kept) }.joined(separator: start)
    }

    /// The text without marks of styles, with the width that it will have.
    static func unstyled(_ text: String) -> String { replacingMarks(in: text) { _ in "" } }

    private static func styled(_ text: String) -> String { replacingMarks(in: text) { $0 } }

    private static func replacingMarks(in text: String, by replacement: (String) -> String) -> String {
        guard outputHasColour, text.contains(start) else { return text }
        return styles.reduce(text) { $0.replacing(mark($1.0), with: replacement($1.1)) }
    }

    /// Writes data unchanged. A reader that went away (`farm status | head`) is no failure, since the rest is not
    /// wanted.
    /// - Returns: why not everything was written, as an `errno`. 0 if it was.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else {
                let cause = written < 0 ? errno : EIO
                if descriptor == STDOUT_FILENO { outputErrno.store(cause, ordering: .relaxed) }
                return cause
            }
            bytes = bytes.dropFirst(written)
        }
        return 0
    }
}
