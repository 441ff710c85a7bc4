import Foundation
import Synchronization

/// Shows the progress of long work on standard error: one line that is redrawn on a terminal, or a plain line every 10
/// s.
final class Progress: Sendable {
    private let title: String
    private let start = Date()
    private let lastDrawn = Mutex(Date.distantPast)
    private let isTerminal: Bool

    init(_ title: String) {
        self.title = title
        isTerminal = Terminal.errorIsTerminal
    }

    /// Shows the count, the rate and, if the total is known, what is left.
    /// - Parameters:
    ///   - initial: how much of `done` was done before this work began.
    ///   - estimates: whether the rate says anything about what is left.
    func show(_ done: Int, of total: Int?, initial: Int = 0, note: String = "", estimates: Bool = true) {
        let now = Date()
        let due = lastDrawn.withLock { lastDrawn in
            let interval: TimeInterval = isTerminal ? 0.1 : 10
            guard now.timeIntervalSince(max(lastDrawn, start)) >= interval else { return false }
            lastDrawn = now
            return true
        }
        guard due else { return }
        let elapsed = max(now.timeIntervalSince(start), 0.001)
        let rate = Double(done - initial) / elapsed
        var line = "\(title): \(done)"
        if let total { line += " of \(total)" }
        line += String(format: ", %.1f/s", rate)
        if let total, estimates, rate >= 0.05, total > done {
            line += ", \(Progress.duration(Double(total - done) / rate)) left"
        }
        if !note.isEmpty { line += ", \(note)" }
        if isTerminal {
            Terminal.progress(line)
        } else {
            Terminal.error(line)
        }
    }

    /// Removes the line, so that other output starts on a clean one.
    func end() { Terminal.removeProgressLine() }

    static func duration(_ seconds: Double) -> String {
        let seconds = Int(min(seconds.rounded(.up), 1e9))
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
        return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    }
}
